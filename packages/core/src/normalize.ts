import * as tf from '@tensorflow/tfjs-core';
import { affineGradients } from './affine-gradients.ts';
import { type ViewOptions, viewFor } from './channel-view.ts';
import { assertAffine, assertEpsilon, assertFloatTensor, assertMoments } from './inputs.ts';
import type { Affine, Grouping } from './kernels.ts';
import * as kernels from './kernels.ts';

/** The affine part of batch normalization, and what keeps its division finite. */
export interface NormalizeOptions extends ViewOptions {
  /** Scale per channel, [channels], or [groups, channels] when groups are asked for; absent means 1. */
  readonly gamma?: tf.Tensor | undefined;
  /** Offset per channel, [channels], or [groups, channels] when groups are asked for; absent means 0. */
  readonly beta?: tf.Tensor | undefined;
  /** Added to the variance. Default 1e-3, as in tf.layers. */
  readonly epsilon?: number;
}

/** What normalize can do beyond batchNormalize, since its moments are constants. */
export interface GivenMomentsOptions extends NormalizeOptions {
  /**
   * Take gamma and beta as constants, too: no gradient reaches them, not even a gradient of zero, by which an optimizer
   * with momentum would still move them. The backward pass then keeps and reads dy alone, not x. Default false.
   */
  readonly fixedAffine?: boolean | undefined;
}

/**
 * Normalizes x by moments that are given, as inference does with population statistics:
 * (x - mean) / sqrt(variance + epsilon) * gamma + beta. One read and one write where the backend has a kernel.
 * Differentiable in x, gamma and beta (or in x alone, with `fixedAffine`); the moments are constants.
 *
 * @param x float32, rank 2 or more.
 * @param moments float32 tensors of shape [channels], or [groups, channels] when groups are asked for.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 */
export function normalize(
  x: tf.Tensor,
  moments: { readonly mean: tf.Tensor; readonly variance: tf.Tensor },
  options: GivenMomentsOptions = {},
): tf.Tensor {
  const { view, epsilon } = checkNormalize('normalize', x, options);
  const shape = options.groups === undefined ? [view.channels] : [view.groups, view.channels];
  assertMoments(moments, shape, '', 'normalize', options.name);
  return tf.tidy(() => normalizeByConstants(x, packConstants(moments, view), options, view, epsilon));
}

/** Checks what normalize and batchNormalize have in common. */
export function checkNormalize(op: string, x: tf.Tensor, options: NormalizeOptions) {
  assertFloatTensor(x, 'x', op, options.name);
  const view = viewFor(op, x.shape, options);
  assertAffine(options, options.groups, view.channels, op, options.name);
  const epsilon = options.epsilon ?? 1e-3;
  assertEpsilon(epsilon, op, options.name);
  return { view, epsilon };
}

/** mean and variance as the kernels take them: [2, groups, channels]. */
export function packConstants(
  { mean, variance }: { readonly mean: tf.Tensor; readonly variance: tf.Tensor },
  { groups, channels }: Grouping,
): tf.Tensor3D {
  return tf.stack([
    tf.reshape(mean, [groups, channels]),
    tf.reshape(variance, [groups, channels]),
  ]) as tf.Tensor3D;
}

/** normalize, checked and packed. Private to the package. */
export function normalizeByConstants(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  { gamma, beta, fixedAffine }: GivenMomentsOptions,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  if (fixedAffine === true) return fixedAffineOp(x, packed, { gamma, beta }, grouping, epsilon);
  const { ids, ...view } = grouping;
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize(x, packed, { gamma, beta }, grouping, epsilon),
      keep: ids === undefined ? [packed] : [packed, ids],
      backward: (dy, savedX, [savedPacked, savedIds], savedGamma) => {
        const moments = savedPacked as tf.Tensor3D;
        const saved = { ...view, ids: savedIds };
        return {
          dx: timesSlope(dy, moments, savedGamma, saved, epsilon),
          sums: () => kernels.backwardReduce(dy, savedX, moments, saved, epsilon),
        };
      },
    },
  );
}

/** The same map of x with gamma and beta as constants: they are not inputs of the op, so no gradient reaches them. */
function fixedAffineOp(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  { gamma, beta }: Affine,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  const { ids, ...view } = grouping;
  const run = tf.customGrad((_, save) => {
    const constants = [packed, gamma, ids].filter((t): t is tf.Tensor => t !== undefined);
    (save as tf.GradSaveFunc)(constants);
    return {
      value: kernels.normalize(x, packed, { gamma, beta }, grouping, epsilon),
      gradFunc: (dy: tf.Tensor, [moments, ...rest]: tf.Tensor[]) => {
        const savedGamma = gamma === undefined ? undefined : rest.shift();
        return timesSlope(dy, moments as tf.Tensor3D, savedGamma, { ...view, ids: rest[0] }, epsilon);
      },
    };
  });
  return run(x);
}

/** dx: the gradient of an affine map is its slope, which is to normalize with a mean of zero and no offset. */
function timesSlope(
  dy: tf.Tensor,
  moments: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    const slope = tf.stack([tf.zerosLike(mean), variance]) as tf.Tensor3D;
    return kernels.normalize(dy, slope, { gamma }, grouping, epsilon);
  });
}
