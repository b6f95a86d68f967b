import * as tf from '@tensorflow/tfjs-core';
import { type ChannelView, type ViewOptions, viewFor } from './channel-view.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertEpsilon, assertFloatTensor, assertPerChannel } from './inputs.ts';
import * as kernels from './kernels.ts';

/** The affine part of batch normalization, and what keeps its division finite. */
export interface NormalizeOptions extends ViewOptions {
  /** Scale per channel, [channels]; absent means 1. */
  readonly gamma?: tf.Tensor | undefined;
  /** Offset per channel, [channels]; absent means 0. */
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
  for (const [what, tensor] of [['mean', moments.mean] as const, ['variance', moments.variance] as const]) {
    assertFloatTensor(tensor, what, 'normalize', options.name);
    if (tensor.shape.join() !== shape.join()) {
      throw new InvalidInputError(
        `${subject('normalize', options.name)}: expected ${what} of shape [${shape.join(', ')}], ` +
          `got [${tensor.shape.join(', ')}].`,
      );
    }
  }
  return tf.tidy(() => {
    const perGroup = [view.groups, view.channels];
    const packed = tf.stack([
      tf.reshape(moments.mean, perGroup),
      tf.reshape(moments.variance, perGroup),
    ]) as tf.Tensor3D;
    const op = options.fixedAffine === true ? fixedAffineOp : affineOp;
    return op(x, packed, options.gamma, options.beta, view, epsilon);
  });
}

/** Checks what normalize and batchNormalize have in common. */
export function checkNormalize(op: string, x: tf.Tensor, options: NormalizeOptions) {
  assertFloatTensor(x, 'x', op, options.name);
  const view = viewFor(op, x.shape, options);
  assertPerChannel(options.gamma, view.channels, 'gamma', op, options.name);
  assertPerChannel(options.beta, view.channels, 'beta', op, options.name);
  const epsilon = options.epsilon ?? 1e-3;
  assertEpsilon(epsilon, op, options.name);
  return { view, epsilon };
}

function affineOp(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return affineGradients(x, gamma, beta, {
    forward: () => kernels.normalize(x, packed, gamma, beta, view, epsilon),
    keep: [packed],
    backward: (dy, savedX, [savedPacked], savedGamma) => {
      const moments = savedPacked as tf.Tensor3D;
      return {
        dx: timesSlope(dy, moments, savedGamma, view, epsilon),
        sums: () => kernels.backwardReduce(dy, savedX, moments, view, epsilon),
      };
    },
  });
}

/** The same map of x with gamma and beta as constants: they are not inputs of the op, so no gradient reaches them. */
function fixedAffineOp(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  const run = tf.customGrad((_, save) => {
    (save as tf.GradSaveFunc)(gamma === undefined ? [packed] : [packed, gamma]);
    return {
      value: kernels.normalize(x, packed, gamma, beta, view, epsilon),
      gradFunc: (dy: tf.Tensor, [moments, savedGamma]: tf.Tensor[]) =>
        timesSlope(dy, moments as tf.Tensor3D, savedGamma, view, epsilon),
    };
  });
  return run(x);
}

/** dx: the gradient of an affine map is its slope, which is to normalize with a mean of zero and no offset. */
function timesSlope(
  dy: tf.Tensor,
  moments: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    const slope = tf.stack([tf.zerosLike(mean), variance]) as tf.Tensor3D;
    return kernels.normalize(dy, slope, gamma, undefined, view, epsilon);
  });
}

/** What an op normalizing x has to say to become differentiable in x, gamma and beta. */
export interface AffineGradients {
  forward(): tf.Tensor;
  /** Tensors that the backward pass needs besides x and gamma. */
  readonly keep: tf.Tensor[];
  /** dx, and the sums [2, groups, channels] of dy and dy * xhat that dbeta and dgamma are made of. */
  backward(
    dy: tf.Tensor,
    x: tf.Tensor,
    kept: tf.Tensor[],
    gamma: tf.Tensor | undefined,
  ): { dx: tf.Tensor; sums: () => tf.Tensor3D };
}

/** Wraps forward and backward of a normalization as one op on the gradient tape. */
export function affineGradients(
  x: tf.Tensor,
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
  op: AffineGradients,
): tf.Tensor {
  const inputs = [x, gamma, beta].filter((input): input is tf.Tensor => input !== undefined);
  const run = tf.customGrad((...all) => {
    const save = all[all.length - 1] as tf.GradSaveFunc;
    save([x, ...(gamma === undefined ? [] : [gamma]), ...op.keep]);
    return {
      value: op.forward(),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedX, ...rest] = saved as [tf.Tensor, ...tf.Tensor[]];
        const savedGamma = gamma === undefined ? undefined : rest.shift();
        const { dx, sums } = op.backward(dy, savedX, rest, savedGamma);
        if (gamma === undefined && beta === undefined) return [dx];
        const [sumDy, sumDyXhat] = tf.unstack(sums()) as [tf.Tensor, tf.Tensor];
        const gradients = [dx];
        if (gamma !== undefined) gradients.push(tf.sum(sumDyXhat, 0));
        if (beta !== undefined) gradients.push(tf.sum(sumDy, 0));
        return gradients;
      },
    };
  });
  return run(...inputs);
}
