// Normalization by the moments of segments, with gradients through these moments.
import * as tf from '@tensorflow/tfjs-core';
import { affineGradients, affineOf, pullsOf } from './affine-gradients.ts';
import type { Arguments, Grouping } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { maskedBackwardInput } from './masks.ts';

/** What normalizes, and what the moments are made of. */
export interface BySegment extends Arguments<'normalize'> {
  /** Values per channel that the moments of each segment are made of: [segments, 1]. */
  readonly counts: tf.Tensor;
  /** The same as a number, where all segments are known to have as many. */
  readonly each?: number | undefined;
  /** Where some values do not count: see `Masked`. */
  readonly halves?: Grouping | undefined;
  /** Whether the moments are those of all segments together. */
  readonly pooled?: boolean | undefined;
}

/**
 * y, and its gradients through the moments of each segment, or through those of all with `pooled`.
 *
 * @param constants whether the moments of a segment with fewer than 2 values are constants.
 */
export function normalizeBySegment(call: BySegment, constants: boolean): tf.Tensor {
  const { x, moments, counts, each, gamma, beta, grouping, halves, epsilon, pooled = false } = call;
  const { ids, ...view } = grouping;
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize({ x, moments, gamma, beta, grouping, epsilon }),
      keep: [moments, counts, ...(ids ? [ids] : []), ...(halves ? [halves.ids!] : [])],
      backward: (dy, savedX, [savedMoments, savedCounts, ...savedIds], savedGamma) => {
        const ownIds = ids && savedIds[0];
        const halfIds = savedIds[ids ? 1 : 0];
        const saved = {
          dy,
          x: savedX,
          moments: savedMoments!,
          grouping: { ...view, ids: ownIds },
          epsilon,
        };
        const affine = affineOf(gamma, beta);
        if (each !== undefined && affine !== undefined && !pooled && !constants && halves === undefined) {
          const all = kernels.backward({ ...saved, gamma: savedGamma, affine, count: each });
          if (all !== undefined) return all;
        }
        const sums = kernels.backwardReduce(saved);
        const pulls = pooled
          ? pullsOfAll(sums, savedGamma, savedCounts!)
          : pullsOfEach(sums, savedGamma, savedCounts!, each, constants);
        const back = { ...saved, pulls, gamma: savedGamma };
        const dx = halves
          ? maskedBackwardInput(back, { ...halves, ids: halfIds })
          : kernels.backwardInput(back);
        return { dx, sums: () => sums };
      },
    },
  );
}

/** [2, 1, channels] once per segment. */
export function spread(joint: tf.Tensor, [segments, channels]: readonly number[]): tf.Tensor3D {
  return tf.broadcastTo(joint, [2, segments!, channels!]) as tf.Tensor3D;
}

function pullsOfAll(sums: tf.Tensor3D, gamma: tf.Tensor | undefined, counts: tf.Tensor): tf.Tensor3D {
  const pulls = tf.sum(pullsOf(sums, gamma, tf.maximum(tf.sum(counts), 1)), 1, true);
  return spread(pulls, sums.shape.slice(1));
}

function pullsOfEach(
  sums: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  counts: tf.Tensor,
  each: number | undefined,
  constants: boolean,
): tf.Tensor3D {
  const pulls = pullsOf(sums, gamma, each ?? tf.maximum(counts, 1));
  return constants ? tf.where(tf.less(counts, 2), tf.zerosLike(pulls), pulls) : pulls;
}
