import * as tf from '@tensorflow/tfjs-core';
import type { Affine, Gradients } from './kernel-arguments.ts';
import { isDifferentiated } from './kernel-calls.ts';

/** A normalization of x as {@link affineGradients} takes it: how to compute it, and how to compute its gradients. */
export interface AffineGradients {
  forward(): tf.Tensor;
  /** What the backward pass needs besides x and gamma; it gets them back in this order. */
  readonly keep: tf.Tensor[];
  /**
   * The gradients, where `dy` is that of the output. Either dx with a way to the two sums over each group that dbeta and
   * dgamma follow from, of dy and of dy times the normalized x: [2, groups, channels]. Or dx, dgamma and dbeta, each in
   * the shape of x, gamma and beta.
   */
  backward(
    dy: tf.Tensor,
    x: tf.Tensor,
    kept: tf.Tensor[],
    gamma: tf.Tensor | undefined,
  ): { readonly dx: tf.Tensor; readonly sums: () => tf.Tensor3D } | Gradients;
}

/**
 * The normalization as one op of TensorFlow.js, differentiable in x, gamma and beta: a gradient tape records it as a
 * whole, and not what it is computed from.
 */
export function affineGradients(x: tf.Tensor, { gamma, beta }: Affine, op: AffineGradients): tf.Tensor {
  if (!isDifferentiated()) return tf.tidy(() => op.forward());
  const inputs = [x, gamma, beta].filter((input): input is tf.Tensor => input !== undefined);
  const run = tf.customGrad((...all) => {
    const save = all[all.length - 1] as tf.GradSaveFunc;
    save([x, ...(gamma === undefined ? [] : [gamma]), ...op.keep]);
    return {
      value: op.forward(),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedX, ...rest] = saved as [tf.Tensor, ...tf.Tensor[]];
        const savedGamma = gamma === undefined ? undefined : rest.shift();
        const made = op.backward(dy, savedX, rest, savedGamma);
        const { dx, dgamma, dbeta } = 'sums' in made ? gradientsBySums(made, gamma, beta) : made;
        const gradients = [dx];
        if (gamma !== undefined) gradients.push(dgamma!);
        if (beta !== undefined) gradients.push(dbeta!);
        return gradients;
      },
    };
  });
  return run(...inputs);
}

function gradientsBySums(
  { dx, sums }: { readonly dx: tf.Tensor; readonly sums: () => tf.Tensor3D },
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
): Gradients {
  if (gamma === undefined && beta === undefined) return { dx };
  const [sumDy, sumDyXhat] = tf.unstack(sums()) as [tf.Tensor, tf.Tensor];
  return { dx, dgamma: gamma && sumLike(sumDyXhat, gamma), dbeta: beta && sumLike(sumDy, beta) };
}

/**
 * The gradient of gamma or beta from the sums of each group, [groups, channels]: the sums themselves for a vector of that
 * shape, their total over the groups for one of shape [channels].
 */
export function sumLike(perGroup: tf.Tensor, vector: tf.Tensor): tf.Tensor {
  return vector.rank === 2 ? perGroup : tf.sum(perGroup, 0);
}

/**
 * How much the mean and the variance of each group pull the gradient of x with them, as `backwardInput` takes it: the
 * means of gamma * dy and of gamma * dy * xhat.
 *
 * @param sums of dy and of dy * xhat over each group.
 * @param count how many values each group's moments are made of: a number, or a tensor that broadcasts against
 *   [2, groups, channels].
 */
export function pullsOf(
  sums: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  count: number | tf.Tensor,
): tf.Tensor3D {
  const weighted = gamma === undefined ? sums : tf.mul(sums, gamma);
  return tf.div(weighted, count);
}

/** The shape that gamma and beta share; undefined where one is per group and the other is not. */
export function affineOf(gamma: tf.Tensor | undefined, beta: tf.Tensor | undefined) {
  const ranks = new Set([gamma, beta].flatMap((vector) => (vector === undefined ? [] : [vector.rank])));
  if (ranks.size === 0) return 'none';
  if (ranks.size === 2) return undefined;
  return ranks.has(2) ? 'group' : 'channel';
}
