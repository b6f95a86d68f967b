import * as tf from '@tensorflow/tfjs-core';
import type { Affine, Gradients } from './kernels.ts';

/** What an op normalizing x has to say to become differentiable in x, gamma and beta. */
export interface AffineGradients {
  forward(): tf.Tensor;
  /** Tensors that the backward pass needs besides x and gamma. */
  readonly keep: tf.Tensor[];
  /**
   * dx, and the sums [2, groups, channels] of dy and dy * xhat that dbeta and dgamma are made of; or all three, each in
   * the shape of what it is the gradient of, for those of gamma and beta that there are.
   */
  backward(
    dy: tf.Tensor,
    x: tf.Tensor,
    kept: tf.Tensor[],
    gamma: tf.Tensor | undefined,
  ): { readonly dx: tf.Tensor; readonly sums: () => tf.Tensor3D } | Gradients;
}

/** Wraps forward and backward of a normalization as one op on the gradient tape. */
export function affineGradients(x: tf.Tensor, { gamma, beta }: Affine, op: AffineGradients): tf.Tensor {
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

/** [groups, channels] as the gradient of `vector`: of each group where it has one per group, else of all together. */
export function sumLike(perGroup: tf.Tensor, vector: tf.Tensor): tf.Tensor {
  return vector.rank === 2 ? perGroup : tf.sum(perGroup, 0);
}

/**
 * What kernels.backwardInput takes: the sums of its groups' dy and dy * xhat, with gamma, over as many values as their
 * moments are made of.
 *
 * @param count a number, or a tensor that broadcasts against [2, groups, channels].
 */
export function pullsOf(
  sums: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  count: number | tf.Tensor,
): tf.Tensor3D {
  const weighted = gamma === undefined ? sums : tf.mul(sums, gamma);
  return tf.div(weighted, count);
}
