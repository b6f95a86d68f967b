import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { type ViewOptions, valuesPerChannel, viewFor } from './channel-view.ts';
import { countBlocks } from './count-blocks.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertTensor } from './inputs.ts';
import type { Grouping } from './kernel-arguments.ts';
import { readsWithoutStalling } from './reads-without-stalling.ts';

/** The samples of a tensor by segment, checked. */
export interface Segments {
  /**
   * The samples in as many groups as there are segments, told by their ids; or by none, where the segments are known to be
   * runs of as many samples each, in order, for which kernels need not look anything up.
   */
  readonly grouping: Grouping;
  /** Values per channel in one sample. */
  readonly values: number;
  /** Samples per segment, where the ids can be read without waiting for a device. */
  readonly known: Float32Array | undefined;
}

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
      `${who}: expected the number of segments to be a whole number of at least 1, got ${shown(numSegments)}.`,
    );
  }
  assertTensor(ids, 'segmentIds', op, name);
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
  const values = valuesPerChannel(view) / samples;
  const grouping = { ...view, groups: numSegments };
  if (!readsWithoutStalling()) return { grouping: { ...grouping, ids }, values, known: undefined };
  const { known, inRuns } = readIds(ids, numSegments, who);
  return { grouping: inRuns ? grouping : { ...grouping, ids }, values, known };
}

/** What the values of ids say. */
interface ReadIds {
  readonly numSegments: number;
  /** Samples per segment. */
  readonly known: Float32Array;
  /** Whether the segments are runs of as many samples each, in order. */
  readonly inRuns: boolean;
}

/**
 * By what is behind a tensor's values, which never changes. All layers of a model are told the same ids, and so is one layer
 * in each step; reading them takes as long as a pass over as many values.
 */
const alreadyRead = new WeakMap<object, ReadIds>();

function readIds(ids: tf.Tensor, numSegments: number, who: string): ReadIds {
  const before = alreadyRead.get(ids.dataId);
  if (before?.numSegments === numSegments) return before;
  const numbers = ids.dataSync();
  const inRuns = areEqualRuns(numbers, numSegments);
  const known = inRuns
    ? new Float32Array(numSegments).fill(ids.size / numSegments)
    : count(numbers, numSegments, who);
  const read = { numSegments, known, inRuns };
  alreadyRead.set(ids.dataId, read);
  return read;
}

/** Whether the ids are 0, ..., 0, 1, ..., 1, and so on, each of them as often. */
function areEqualRuns(ids: ArrayLike<number>, numSegments: number): boolean {
  const run = ids.length / numSegments;
  if (!Number.isInteger(run)) return false;
  for (let id = 0, i = 0; id < numSegments; id++) {
    for (const end = i + run; i < end; i++) if (ids[i] !== id) return false;
  }
  return true;
}

function count(ids: ArrayLike<number>, numSegments: number, who: string): Float32Array {
  const samples = new Float32Array(numSegments);
  let isStray = false;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id >= 0 && id < numSegments) samples[id]!++;
    else isStray = true;
  }
  if (isStray) {
    const strays = new Set(Array.from(ids).filter((id) => id < 0 || id >= numSegments));
    const first = [...strays].slice(0, 5).join(', ');
    throw new InvalidInputError(
      `${who}: expected segment ids from 0 to ${numSegments - 1}, got ${first}${strays.size > 5 ? ', ...' : ''}. ` +
        'Pass the number of all segments, not of those in this batch.',
    );
  }
  return samples;
}

/** Values per channel of each segment, where all are known to have as many. */
export function evenCount({ values, known }: Pick<Segments, 'values' | 'known'>): number | undefined {
  const [first] = known ?? [];
  return first !== undefined && first > 0 && known!.every((samples) => samples === first)
    ? first * values
    : undefined;
}

/** Values per channel and segment: float32 [segments]. */
export function countValues({ grouping, values, known }: Segments): tf.Tensor1D {
  if (known !== undefined) return tf.tensor1d(known.map((samples) => samples * values));
  return tf.mul(countBlocks(grouping.ids!, grouping.groups), values);
}
