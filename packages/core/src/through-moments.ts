import type * as tf from '@tensorflow/tfjs-core';
import { affineGradients, affineOf, pullsOf } from './affine-gradients.ts';
import type { Arguments, Grouping } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { maskedBackwardInput } from './masks.ts';

/** What normalizeThroughMoments takes: a normalization, and what its moments are made of. */
export interface ThroughMoments extends Arguments<'normalize'> {
  /** Values per channel that the moments are made of. */
  readonly count: number;
  /**
   * Adds up what all tensors that the moments are made of have, given what x has: the sums of dy and of dy * xhat,
   * [2, groups, channels]. Absent where the moments are those of x alone.
   */
  readonly sumOverAll?: (own: tf.Tensor3D) => tf.Tensor3D;
  /** Where some values of x are no part of the moments: see `Masked`. */
  readonly halves?: Grouping | undefined;
}

/** Normalization by moments that x is a part of, so that the gradient of x goes through them, too. */
export function normalizeThroughMoments(call: ThroughMoments): tf.Tensor {
  const { x, moments, gamma, beta, grouping, epsilon, count, sumOverAll, halves } = call;
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize({ x, moments, gamma, beta, grouping, epsilon }),
      keep: [moments, ...(halves ? [halves.ids!] : [])],
      backward: (dy, savedX, [savedMoments, halfIds], savedGamma) => {
        const saved = { dy, x: savedX, moments: savedMoments!, grouping, epsilon };
        const affine = affineOf(gamma, beta);
        if (sumOverAll === undefined && halves === undefined && affine !== undefined) {
          const all = kernels.backward({ ...saved, gamma: savedGamma, affine, count });
          if (all !== undefined) return all;
        }
        const sums = kernels.backwardReduce(saved);
        const pulls = pullsOf(sumOverAll?.(sums) ?? sums, savedGamma, count);
        const back = { ...saved, pulls, gamma: savedGamma };
        const dx = halves
          ? maskedBackwardInput(back, { ...halves, ids: halfIds })
          : kernels.backwardInput(back);
        return { dx, sums: () => sums };
      },
    },
  );
}
