import * as tf from '@tensorflow/tfjs-core';
import { affineGradients } from './affine-gradients.ts';
import type { ChannelMoments } from './channel-moments.ts';
import { type ViewOptions, viewFor } from './channel-view.ts';
import * as composed from './composed.ts';
import { assertAffine, assertEpsilon, assertFloatTensor, assertMoments } from './inputs.ts';
import type { KeptMoments } from './kept-moments.ts';
import type { Arguments, Grouping } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { NORMALIZE_NAMES, optionNames } from './option-names.ts';

/** What normalization takes besides x and moments: gamma and beta, and what keeps its division finite. */
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

const checkOptionNames = optionNames<GivenMomentsOptions>('normalize', NORMALIZE_NAMES);

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
  moments: ChannelMoments,
  options: GivenMomentsOptions = {},
): tf.Tensor {
  checkOptionNames(options);
  const { view, epsilon } = checkNormalize('normalize', x, options);
  const shape = options.groups === undefined ? [view.channels] : [view.groups, view.channels];
  assertMoments(moments, shape, '', 'normalize', options.name);
  return tf.tidy(() => {
    if (hasUnpackedOp(view))
      return composed.ownNormalize({ ...options, x, moments, grouping: view, epsilon });
    const packed = packConstants(moments, view);
    return normalizeByConstants({ ...options, x, moments: packed, grouping: view, epsilon });
  });
}

/**
 * As `normalize` by moments of [channels], which are packed once for as long as they stay what they are: on small tensors
 * packing them takes longer than normalizing. To be called in a tidy.
 *
 * @param kept holds what was packed between calls.
 * @throws {InvalidInputError} as `normalize`.
 */
export function normalizeByKept(
  x: tf.Tensor,
  moments: ChannelMoments,
  kept: KeptMoments,
  options: Omit<GivenMomentsOptions, 'groups'> = {},
): tf.Tensor {
  if (kernels.isDifferentiated()) return normalize(x, moments, options);
  const { view, epsilon } = checkNormalize('normalize', x, options);
  assertMoments(moments, [view.channels], '', 'normalize', options.name);
  const { gamma, beta } = options;
  if (kernels.exists('normalize')) {
    return kernels.runNormalize({ x, moments: kept.packed(moments), gamma, beta, grouping: view, epsilon });
  }
  if (!composed.hasOwnNormalize(view)) return normalize(x, moments, options);
  return composed.ownNormalize({ x, moments, gamma, beta, grouping: view, epsilon });
}

/** Whether the backend has an op of its own that takes moments unpacked, and needs no gradient of ours. */
function hasUnpackedOp(view: Grouping): boolean {
  return !kernels.isDifferentiated() && composed.hasOwnNormalize(view) && !kernels.exists('normalize');
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
  { mean, variance }: ChannelMoments,
  { groups, channels }: Grouping,
): tf.Tensor3D {
  return tf.stack([
    tf.reshape(mean, [groups, channels]),
    tf.reshape(variance, [groups, channels]),
  ]) as tf.Tensor3D;
}

/** What normalize and segmentNormalize share: arguments are checked, and moments packed. */
export function normalizeByConstants(
  call: Arguments<'normalize'> & Pick<GivenMomentsOptions, 'fixedAffine'>,
): tf.Tensor {
  const { x, moments, gamma, beta, grouping, epsilon } = call;
  if (!kernels.isDifferentiated()) return kernels.normalize({ x, moments, gamma, beta, grouping, epsilon });
  if (call.fixedAffine === true) return fixedAffineOp(call);
  const { ids, ...view } = grouping;
  return affineGradients(
    x,
    { gamma, beta },
    {
      forward: () => kernels.normalize({ x, moments, gamma, beta, grouping, epsilon }),
      keep: ids === undefined ? [moments] : [moments, ids],
      backward: (dy, savedX, [savedMoments, savedIds], savedGamma) => {
        const saved = { moments: savedMoments!, grouping: { ...view, ids: savedIds }, epsilon };
        return {
          dx: timesSlope({ ...saved, x: dy, gamma: savedGamma }),
          sums: () => kernels.backwardReduce({ ...saved, dy, x: savedX }),
        };
      },
    },
  );
}

/** The same map of x with gamma and beta as constants: they are not inputs of the op, so no gradient reaches them. */
function fixedAffineOp({ x, moments, gamma, beta, grouping, epsilon }: Arguments<'normalize'>): tf.Tensor {
  const { ids, ...view } = grouping;
  const run = tf.customGrad((_, save) => {
    const constants = [moments, gamma, ids].filter((t): t is tf.Tensor => t !== undefined);
    (save as tf.GradSaveFunc)(constants);
    return {
      value: kernels.normalize({ x, moments, gamma, beta, grouping, epsilon }),
      gradFunc: (dy: tf.Tensor, [savedMoments, ...rest]: tf.Tensor[]) => {
        const savedGamma = gamma === undefined ? undefined : rest.shift();
        const saved = { moments: savedMoments!, gamma: savedGamma, grouping: { ...view, ids: rest[0] } };
        return timesSlope({ ...saved, x: dy, epsilon });
      },
    };
  });
  return run(x);
}

/**
 * dx, given dy in the place of x. By constants, normalization is an affine map of x, whose gradient is dy times the
 * slope: the same map of dy with a mean of zero and no offset.
 */
function timesSlope({ moments, ...call }: Omit<Arguments<'normalize'>, 'beta'>): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    return kernels.normalize({ ...call, moments: tf.stack([tf.zerosLike(mean), variance]) });
  });
}
