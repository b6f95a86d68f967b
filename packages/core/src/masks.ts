// Values that do not count in moments, such as padded steps, but are normalized by them all the same.
import * as tf from '@tensorflow/tfjs-core';
import { packedMoments } from './batch-moments.ts';
import { countBlocks } from './count-blocks.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertTensor } from './inputs.ts';
import type { Arguments, Grouping } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { readsWithoutStalling } from './reads-without-stalling.ts';

/** Which values count, for ops that have groups. */
export interface Masked {
  /** Twice as many groups: the values of each that count, and behind all of these the values of each that do not. */
  readonly halves: Grouping;
  /** Values per channel in one block, which counts as a whole or not at all. */
  readonly values: number;
  /** Blocks that count of each group, where the mask can be read without waiting for a device. */
  readonly known: Float32Array | undefined;
}

/**
 * A mask, checked and set against the groups of a tensor. Call it in a tidy.
 *
 * @param mask in the shape of the first axes of x, up to its channel axis at most.
 * @param grouping of x; its ids, if any, one per sample.
 * @throws {InvalidInputError} if the mask is no live bool tensor of such a shape.
 */
export function maskedOf(
  op: string,
  x: tf.Tensor,
  mask: tf.Tensor,
  grouping: Grouping,
  name?: string,
): Masked {
  const blocks = blocksOf(op, x, mask, grouping, name);
  const { ids, ...view } = grouping;
  const { groups } = grouping;
  const [samples, perSample] = [x.shape[0]!, blocks / x.shape[0]!];
  // Consecutive groups are runs of samples.
  const group =
    ids ??
    tf.tensor1d(
      Array.from({ length: samples }, (_, i) => Math.floor((i * groups) / samples)),
      'int32',
    );
  const groupOfEach = tf.reshape(tf.tile(tf.reshape(group, [samples, 1]), [1, perSample]), [blocks]);
  const counts = tf.cast(tf.reshape(mask, [blocks]), 'int32');
  const half = tf.mul(tf.sub(tf.scalar(1, 'int32'), counts), tf.scalar(groups, 'int32'));
  const halves = { ...view, groups: 2 * groups, ids: tf.add(groupOfEach, half) };
  const values = (view.outer / blocks) * view.inner;
  return { halves, values, known: readsWithoutStalling() ? count(halves.ids, groups) : undefined };
}

function blocksOf(
  op: string,
  x: tf.Tensor,
  mask: tf.Tensor,
  { outer }: Grouping,
  name: string | undefined,
): number {
  const who = subject(op, name);
  assertTensor(mask, 'the mask', op, name);
  if (mask.isDisposed) throw new InvalidInputError(`${who}: the mask is already disposed.`);
  const { shape, size, rank, dtype } = mask;
  const leading = shape.every((length, axis) => length === x.shape[axis]);
  if (dtype === 'bool' && rank >= 1 && rank < x.rank && leading && size <= outer && outer % size === 0) {
    return size;
  }
  throw new InvalidInputError(
    `${who}: expected a mask of dtype bool and the shape of the axes before the channels, or of the first of them, for x ` +
      `of shape [${x.shape.join(', ')}], got ${dtype} [${shape.join(', ')}].`,
  );
}

function count(ids: tf.Tensor, groups: number): Float32Array {
  const blocks = new Float32Array(groups);
  for (const id of ids.dataSync()) if (id < groups) blocks[id]! += 1;
  return blocks;
}

/** Values per channel that count, of each group: float32 [groups]. */
export function countsOf({ halves, values, known }: Masked): tf.Tensor1D {
  if (known !== undefined) return tf.tensor1d(known.map((blocks) => blocks * values));
  const all = tf.mul(countBlocks(halves.ids!, halves.groups), values);
  return tf.slice(all, 0, halves.groups / 2) as tf.Tensor1D;
}

/** The moments of the values that count, [2, groups, channels]; 0 for a group of which none does. Differentiable in x. */
export function maskedMomentsOf(x: tf.Tensor, { halves }: Masked): tf.Tensor3D {
  return tf.slice(packedMoments(x, halves), 0, [2, halves.groups / 2, halves.channels]) as tf.Tensor3D;
}

/**
 * `backwardInput` where the moments of a group are made of the values that count: no gradient goes through them to the
 * others.
 *
 * @param halves as in {@link Masked}; the call's own grouping has half as many groups.
 */
export function maskedBackwardInput(
  { moments, pulls, gamma, ...call }: Arguments<'backwardInput'>,
  halves: Grouping,
): tf.Tensor {
  return kernels.backwardInput({
    ...call,
    moments: tf.concat([moments, moments], 1),
    pulls: tf.concat([pulls, tf.zerosLike(pulls)], 1),
    gamma: gamma?.rank === 2 ? tf.concat([gamma, gamma]) : gamma,
    grouping: halves,
  });
}
