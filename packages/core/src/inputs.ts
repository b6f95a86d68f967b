import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { holdsWholeNumbers } from './as-float32.ts';
import type { ChannelMoments } from './channel-moments.ts';
import { InvalidInputError, subject } from './errors.ts';

/** Throws unless `x` is a live float32 tensor. */
export function assertFloatTensor(x: tf.Tensor, what: string, op: string, name?: string): void {
  if (x === undefined || x === null) assertTensor(x, what, op, name);
  if (x.isDisposed) {
    throw new InvalidInputError(
      `${subject(op, name)}: ${what} is already disposed. Keep it alive until the call returns (tf.keep, or dispose it later).`,
    );
  }
  if (x.dtype !== 'float32') {
    assertTensor(x, what, op, name);
    throw new InvalidInputError(
      `${subject(op, name)}: expected ${what} of dtype float32, got ${x.dtype}.` +
        (holdsWholeNumbers(x) ? ' Convert it with x.toFloat().' : ''),
    );
  }
}

/** Throws unless `x` is a tensor, of whatever copy of TensorFlow.js. */
export function assertTensor(x: unknown, what: string, op: string, name?: string): void {
  if (x instanceof tf.Tensor) return;
  const advice = Array.isArray(x) || ArrayBuffer.isView(x) ? ' Make one of it with tf.tensor.' : '';
  throw new InvalidInputError(
    `${subject(op, name)}: expected ${what} to be a tensor, got ${shown(x)}.${advice}`,
  );
}

/** Throws unless there is an object in which a mean and a variance may be. */
export function assertGiven(moments: unknown, whose: string, op: string, name?: string): void {
  if (typeof moments === 'object' && moments !== null) return;
  throw new InvalidInputError(
    `${subject(op, name)}: expected ${whose}mean and variance as { mean, variance }, got ${shown(moments)}.`,
  );
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
    const { shape } = vector;
    if (shape.length === 1 && shape[0] === channels) continue;
    if (groups !== undefined && shape.length === 2 && shape[0] === groups && shape[1] === channels) continue;
    const perGroup = groups === undefined ? '' : `, or [${groups}, ${channels}] for one of each`;
    throw new InvalidInputError(
      `${subject(op, name)}: expected ${what} of shape [${channels}], one value per channel${perGroup}, ` +
        `got [${vector.shape.join(', ')}].`,
    );
  }
}

function isShape(actual: readonly number[], expected: readonly number[]): boolean {
  return actual.length === expected.length && actual.every((size, axis) => size === expected[axis]);
}

/** Throws unless mean and variance, which `whose` belong to, are live float32 tensors of that shape. */
export function assertMoments(
  moments: ChannelMoments,
  shape: readonly number[],
  whose: string,
  op: string,
  name?: string,
): void {
  assertGiven(moments, whose, op, name);
  for (const key of ['mean', 'variance'] as const) {
    const what = `${whose}${key}`;
    assertFloatTensor(moments[key], what, op, name);
    if (isShape(moments[key].shape, shape)) continue;
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
    `${subject(op, name)}: expected epsilon to be a finite number of at least 0, got ${shown(epsilon)}.`,
  );
}
