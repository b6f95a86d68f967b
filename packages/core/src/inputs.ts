import type * as tf from '@tensorflow/tfjs-core';
import { InvalidInputError, subject } from './errors.ts';

/** Throws unless `x` is a live float32 tensor. */
export function assertFloatTensor(x: tf.Tensor, what: string, op: string, name?: string): void {
  const who = subject(op, name);
  if (x.isDisposed) {
    throw new InvalidInputError(
      `${who}: ${what} is already disposed. Keep it alive until the call returns (tf.keep, or dispose it later).`,
    );
  }
  if (x.dtype !== 'float32') {
    throw new InvalidInputError(
      `${who}: expected ${what} of dtype float32, got ${x.dtype}. Convert it with x.toFloat().`,
    );
  }
}

/**
 * Throws unless gamma and beta, where there are any, are live float32 tensors of shape [channels] or, where there are
 * groups, [groups, channels].
 */
export function assertAffine(
  vectors: { readonly gamma?: tf.Tensor | undefined; readonly beta?: tf.Tensor | undefined },
  groups: number | undefined,
  channels: number,
  op: string,
  name?: string,
): void {
  for (const what of ['gamma', 'beta'] as const) {
    const vector = vectors[what];
    if (vector === undefined) continue;
    assertFloatTensor(vector, what, op, name);
    const shape = vector.shape.join();
    if (shape === `${channels}` || (groups !== undefined && shape === `${groups},${channels}`)) continue;
    const perGroup = groups === undefined ? '' : `, or [${groups}, ${channels}] for one of each`;
    throw new InvalidInputError(
      `${subject(op, name)}: expected ${what} of shape [${channels}], one value per channel${perGroup}, ` +
        `got [${vector.shape.join(', ')}].`,
    );
  }
}

/** Throws unless mean and variance, which `whose` belong to, are live float32 tensors of that shape. */
export function assertMoments(
  moments: { readonly mean: tf.Tensor; readonly variance: tf.Tensor },
  shape: readonly number[],
  whose: string,
  op: string,
  name?: string,
): void {
  for (const key of ['mean', 'variance'] as const) {
    const what = `${whose}${key}`;
    assertFloatTensor(moments[key], what, op, name);
    if (moments[key].shape.join() === shape.join()) continue;
    throw new InvalidInputError(
      `${subject(op, name)}: expected ${what} of shape [${shape.join(', ')}], ` +
        `got [${moments[key].shape.join(', ')}].`,
    );
  }
}

/** Throws unless epsilon is a finite number of at least 0. */
export function assertEpsilon(epsilon: number, op: string, name?: string): void {
  if (Number.isFinite(epsilon) && epsilon >= 0) return;
  throw new InvalidInputError(
    `${subject(op, name)}: expected epsilon to be a finite number of at least 0, got ${epsilon}.`,
  );
}
