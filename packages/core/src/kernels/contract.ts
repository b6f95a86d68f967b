// The contract between core's ops and the packages that bring kernels for a backend: what each kernel is called, what
// it is given, and what it makes of it. A backend may have any of them; where it lacks one, core composes TensorFlow.js's
// own ops (../composed.ts). No kernel has a gradient: the ops that call them define their own.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ChannelView } from '../channel-view.ts';

/** Their names in the kernel registry of TensorFlow.js. */
export const KERNELS = {
  moments: 'RebatchMoments',
  normalize: 'RebatchNormalize',
  backwardReduce: 'RebatchBackwardReduce',
  backwardInput: 'RebatchBackwardInput',
  backward: 'RebatchBackward',
  movingAverage: 'RebatchMovingAverage',
  normalizeOver: 'RebatchNormalizeOver',
  measureOver: 'RebatchMeasureOver',
} as const;

/**
 * What each kernel takes and gives: inputs and attributes as TensorFlow.js hands them to a kernel. All tensors are
 * float32 but `ids`.
 *
 * The kernels of a batch see x (and dy, which lies in memory as x does) through the four numbers of a
 * {@link ChannelView}: as [outer, channels, inner] in row-major order, whose outer indices are in `groups` groups.
 *
 * - Without `ids`, a group is a run of consecutive outer indices: outer / groups of them, the first run being group 0.
 * - With `ids` (int32, one per block), outer is cut into as many blocks of consecutive outer indices as there are ids,
 *   all of one size, and a group is all blocks whose id is its number, wherever they lie. A group without any block is
 *   empty: what is summed over it is 0. A block whose id is not from 0 to groups - 1 is in no group: sums pass it over,
 *   and each of its values in an output in the shape of x is NaN.
 *
 * @typeParam T a tensor, as the caller or as the kernel sees it.
 */
export interface KernelContract<T = TensorInfo> {
  /** Means, then biased variances: [2, groups, channels]. */
  readonly moments: {
    readonly inputs: { readonly x: T } & Ids<T>;
    readonly attributes: ChannelView & {
      /**
       * Whether a third row follows, [3, groups, channels]: what rounding to float32 took from the means. The sum of both
       * is the mean to more digits than one float32 has, which it takes to merge means far larger than their deviations.
       */
      readonly rest?: boolean | undefined;
    };
    readonly output: T;
  };

  /** (x - mean) / sqrt(variance + epsilon) * gamma + beta, in the shape of x. */
  readonly normalize: {
    readonly inputs: {
      readonly x: T;
      /** As below; or [3, groups, channels] as `moments` gives it with `rest`, of which the third row counts for nothing. */
      readonly moments: T;
    } & Gamma<T> &
      Beta<T> &
      Ids<T>;
    readonly attributes: ChannelView & Epsilon;
    readonly output: T;
  };

  /** The sum of dy, then the sum of dy times the normalized x: [2, groups, channels]. */
  readonly backwardReduce: {
    readonly inputs: { readonly dy: T; readonly x: T } & Moments<T> & Ids<T>;
    readonly attributes: ChannelView & Epsilon;
    readonly output: T;
  };

  /**
   * The gradient that reaches x through a normalization whose moments are made of x, alone or with more:
   * (gamma * dy - pull of the mean - xhat * pull of the variance) / sqrt(variance + epsilon), in the shape of x, where
   * xhat is the normalized x.
   */
  readonly backwardInput: {
    readonly inputs: { readonly dy: T; readonly x: T } & Moments<T> &
      Gamma<T> &
      Ids<T> & {
        /**
         * [2, groups, channels]: how much the mean and the variance of each group pull the gradient with them, since
         * they move when x does. The means of gamma * dy and of gamma * dy * xhat, over all values that the group's
         * moments are made of; 0 where the moments are constants.
         */
        readonly pulls: T;
      };
    readonly attributes: ChannelView & Epsilon;
    readonly output: T;
  };

  /**
   * All gradients of a normalization by the moments of x itself: what `backwardReduce`, then `backwardInput` give for
   * pulls that are the means of the sums. For backends on which every step in between costs.
   */
  readonly backward: {
    readonly inputs: { readonly dy: T; readonly x: T } & Moments<T> & Gamma<T> & Ids<T>;
    readonly attributes: ChannelView &
      Epsilon & {
        /** Values per channel in a group. */
        readonly count: number;
        readonly affine: AffineKind;
      };
    /** dx, then dgamma and dbeta unless `affine` is 'none'. */
    readonly output: readonly T[];
  };

  /** moving - (moving - batch) * rate, in the shape of `moving`: a step of an average, rounded after each operation. */
  readonly movingAverage: {
    readonly inputs: { readonly moving: T; readonly batch: T };
    readonly attributes: {
      readonly rate: number;
      /** From which value of `batch` on: it may hold means and variances. */
      readonly offset: number;
    };
    readonly output: T;
  };

  /**
   * What `normalize` gives for one group, clipped to the limits, in the memory of x: the output shares it, and nobody else
   * may read x. For backends on which the memory that a pass goes through is what it costs.
   */
  readonly normalizeOver: {
    /** As for `normalize`. */
    readonly inputs: { readonly x: T } & Moments<T> & Gamma<T> & Beta<T>;
    readonly attributes: OneGroup & Epsilon & Limits;
    readonly output: T;
  };

  /** What `moments` gives of x for one group, with the rest, [3, 1, channels]; and before it x clipped in its own memory. */
  readonly measureOver: {
    readonly inputs: { readonly x: T };
    readonly attributes: OneGroup & Limits;
    readonly output: readonly T[];
  };
}

/** A kernel of the contract. */
export type KernelKey = keyof KernelContract;

/** A kernel that sees x through a view in groups: all but a step of an average, and those that overwrite it. */
export type BatchKernelKey = Exclude<KernelKey, 'movingAverage' | 'normalizeOver' | 'measureOver'>;

/** What values are clipped to once they are normalized: 0 and 6 for ReLU6; infinite where they are not. NaN stays. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

type OneGroup = Omit<ChannelView, 'groups'>;

/**
 * The shape of gamma, beta or both, and so of their gradients: absent, one of each per channel, or one of each per
 * group and channel.
 */
export type AffineKind = 'none' | 'channel' | 'group';

interface Moments<T> {
  /** [2, groups, channels]: means, then biased variances. */
  readonly moments: T;
}

interface Gamma<T> {
  /** [channels], or [groups, channels] for one per group; absent means 1. */
  readonly gamma?: T | undefined;
}

interface Beta<T> {
  /** [channels], or [groups, channels] for one per group; absent means 0. */
  readonly beta?: T | undefined;
}

interface Ids<T> {
  /** The group of each block of x: int32 [blocks]. */
  readonly ids?: T | undefined;
}

interface Epsilon {
  /** Added to the variance. */
  readonly epsilon: number;
}
