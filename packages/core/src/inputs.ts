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

/** Throws unless `vector` is a live float32 tensor of shape [channels]. */
export function assertPerChannel(
  vector: tf.Tensor | undefined,
  channels: number,
  what: string,
  op: string,
  name?: string,
): void {
  if (vector === undefined) return;
  assertFloatTensor(vector, what, op, name);
  if (vector.rank !== 1 || vector.shape[0] !== channels) {
    throw new InvalidInputError(
      `${subject(op, name)}: expected ${what} of shape [${channels}], one value per channel, ` +
        `got [${vector.shape.join(', ')}].`,
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
