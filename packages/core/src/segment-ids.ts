import * as tf from '@tensorflow/tfjs-core';
import { type ViewOptions, valuesPerChannel, viewFor } from './channel-view.ts';
import { membersOf } from './composed-groups.ts';
import { InvalidInputError, subject } from './errors.ts';
import type { Grouping } from './kernels.ts';

/** The samples of a tensor by segment, checked. */
export interface Segments {
  /** The samples in as many groups as there are segments, told by their ids. */
  readonly grouping: Grouping;
  /** Values per channel in one sample. */
  readonly values: number;
  /** Samples per segment, where the ids can be read without waiting for a device. */
  readonly known: Float32Array | undefined;
}

// The backends whose tensors are in the memory of this thread, more or less: reading from any other one would stall it.
const READABLE = ['cpu', 'wasm', 'tensorflow'];

/**
 * Sees x as the samples of `numSegments` segments.
 *
 * @throws {InvalidInputError} if the ids are no live int32 tensor [samples], numSegments is not a whole number of at
 *   least 1, x has its channels along axis 0, or an id that can be read is out of range.
 */
export function segmentsOf(
  op: string,
  x: tf.Tensor,
  ids: tf.Tensor,
  numSegments: number,
  options: Pick<ViewOptions, 'axis' | 'name'>,
): Segments {
  const who = subject(op, options.name);
  const { axis = -1, name } = options;
  const view = viewFor(op, x.shape, { axis, ...(name === undefined ? {} : { name }) });
  if (axis === 0 || axis === -x.rank) {
    throw new InvalidInputError(
      `${who}: segments split the samples along axis 0, but axis 0 of [${x.shape.join(', ')}] holds the channels. ` +
        'Transpose first.',
    );
  }
  if (!Number.isInteger(numSegments) || numSegments < 1) {
    throw new InvalidInputError(
      `${who}: expected the number of segments to be a whole number of at least 1, got ${numSegments}.`,
    );
  }
  if (ids.isDisposed) {
    throw new InvalidInputError(
      `${who}: segmentIds is already disposed. Keep it alive until the call returns (tf.keep, or dispose it later).`,
    );
  }
  const samples = x.shape[0]!;
  if (ids.dtype !== 'int32' || ids.rank !== 1 || ids.size !== samples) {
    throw new InvalidInputError(
      `${who}: expected segmentIds of dtype int32 and shape [${samples}], one id per sample, ` +
        `got ${ids.dtype} [${ids.shape.join(', ')}].` +
        (ids.size === samples ? ' Convert them with tf.reshape(ids, [-1]) and tf.cast(ids, "int32").' : ''),
    );
  }
  return {
    grouping: { ...view, groups: numSegments, ids },
    values: valuesPerChannel(view) / samples,
    known: READABLE.includes(tf.getBackend()) ? count(ids.dataSync(), numSegments, who) : undefined,
  };
}

function count(ids: ArrayLike<number>, numSegments: number, who: string): Float32Array {
  const samples = new Float32Array(numSegments);
  const strays = new Set<number>();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id >= 0 && id < numSegments) samples[id]!++;
    else strays.add(id);
  }
  if (strays.size > 0) {
    const shown = [...strays].slice(0, 5).join(', ');
    throw new InvalidInputError(
      `${who}: expected segment ids from 0 to ${numSegments - 1}, got ${shown}${strays.size > 5 ? ', ...' : ''}. ` +
        'Pass the number of all segments, not of those in this batch.',
    );
  }
  return samples;
}

/** Values per channel and segment: float32 [segments]. */
export function countValues({ grouping, values, known }: Segments): tf.Tensor1D {
  if (known !== undefined) return tf.tensor1d(known.map((samples) => samples * values));
  return tf.mul(tf.sum(membersOf(grouping.ids!, grouping.groups), 0), values);
}
