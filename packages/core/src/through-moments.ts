import type * as tf from '@tensorflow/tfjs-core';
import { affineGradients, pullsOf } from './affine-gradients.ts';
import * as kernels from './kernels.ts';

/**
 * Normalization by moments that x has contributed to, whatever else has: the gradient of x goes through them.
 *
 * @param count values per channel that the moments are made of.
 * @param sumOverAll the sums of dy and dy * xhat, [2, groups, channels], over all that has contributed, from those over x;
 *   absent where nothing but x has.
 */
export function normalizeThroughMoments(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  { gamma, beta }: kernels.Affine,
  view: kernels.Grouping,
  epsilon: number,
  count: number,
  sumOverAll?: (own: tf.Tensor3D) => tf.Tensor3D,
): tf.Tensor {
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize(x, packed, { gamma, beta }, view, epsilon),
      keep: [packed],
      backward: (dy, savedX, [savedPacked], savedGamma) => {
        const moments = savedPacked as tf.Tensor3D;
        const affine = affineOf(gamma, beta);
        if (sumOverAll === undefined && affine !== undefined) {
          const all = kernels.backward(dy, savedX, moments, savedGamma, affine, view, epsilon, count);
          if (all !== undefined) return all;
        }
        const sums = kernels.backwardReduce(dy, savedX, moments, view, epsilon);
        const pulls = pullsOf(sumOverAll?.(sums) ?? sums, savedGamma, count);
        return {
          dx: kernels.backwardInput(dy, savedX, moments, pulls, savedGamma, view, epsilon),
          sums: () => sums,
        };
      },
    },
  );
}

/** The shape that gamma and beta share; undefined where one is per group and the other is not. */
function affineOf(gamma: tf.Tensor | undefined, beta: tf.Tensor | undefined) {
  const ranks = new Set([gamma, beta].flatMap((vector) => (vector === undefined ? [] : [vector.rank])));
  if (ranks.size === 0) return 'none';
  if (ranks.size === 2) return undefined;
  return ranks.has(2) ? 'group' : 'channel';
}
