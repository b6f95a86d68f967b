// Samples in another order, and back.
import * as tf from '@tensorflow/tfjs-core';

/** A permutation of the samples of a batch: place i of the permuted batch holds sample `order[i]`. */
export interface Permutation {
  readonly order: tf.Tensor1D;
  readonly inverse: tf.Tensor1D;
}

/** @param order a permutation of 0 to order.length - 1. */
export function permutationOf(order: readonly number[]): Permutation {
  const inverse = new Int32Array(order.length);
  order.forEach((sample, place) => {
    inverse[sample] = place;
  });
  return { order: tf.tensor1d(order as number[], 'int32'), inverse: tf.tensor1d(inverse, 'int32') };
}

/** The permuted samples. Differentiable in x: its gradient is the inverse permutation, and no sum over indices. */
export function permute(x: tf.Tensor, { order, inverse }: Permutation): tf.Tensor {
  const op = tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([inverse]);
    return {
      value: tf.gather(input as tf.Tensor, order),
      gradFunc: (dy: tf.Tensor, [back]: tf.Tensor[]) => tf.gather(dy, back as tf.Tensor1D),
    };
  });
  return op(x);
}

/** The inverse of `permute`, bit by bit. */
export function restore(x: tf.Tensor, { order, inverse }: Permutation): tf.Tensor {
  return permute(x, { order: inverse, inverse: order });
}

/** A mask of the samples, bool, moved along with them. */
export function permuteMask(mask: tf.Tensor, { order }: Permutation): tf.Tensor {
  return tf.cast(tf.gather(tf.cast(mask, 'int32'), order), 'bool');
}
