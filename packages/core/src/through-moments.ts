import type * as tf from '@tensorflow/tfjs-core';
import { affineGradients, pullsOf } from './affine-gradients.ts';
import * as kernels from './kernels.ts';

/**
 * Normalization by moments that x has contributed to, whatever else has: the gradient of x goes through them.
 *
 * @param count values per channel that the moments are made of.
 * @param sumOverAll the sums of dy and dy * xhat, [2, groups, channels], over all that has contributed, from those over x.
 */
export function normalizeThroughMoments(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  { gamma, beta }: kernels.Affine,
  view: kernels.Grouping,
  epsilon: number,
  count: number,
  sumOverAll: (own: tf.Tensor3D) => tf.Tensor3D = (own) => own,
): tf.Tensor {
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize(x, packed, { gamma, beta }, view, epsilon),
      keep: [packed],
      backward: (dy, savedX, [savedPacked], savedGamma) => {
        const moments = savedPacked as tf.Tensor3D;
        const sums = kernels.backwardReduce(dy, savedX, moments, view, epsilon);
        const pulls = pullsOf(sumOverAll(sums), savedGamma, count);
        return {
          dx: kernels.backwardInput(dy, savedX, moments, pulls, savedGamma, view, epsilon),
          sums: () => sums,
        };
      },
    },
  );
}
