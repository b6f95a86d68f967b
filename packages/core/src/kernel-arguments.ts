// What the ops of this package hand to a kernel, or to the composed ops that stand in for it.
import type * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import type { ChannelView } from './channel-view.ts';
import type { BatchKernelKey, KernelContract } from './kernels/contract.ts';

/** How the values of x are grouped: {@link KernelContract} says what the numbers and the ids mean. */
export interface Grouping extends ChannelView {
  readonly ids?: tf.Tensor | undefined;
}

/** The inputs and attributes of a kernel by their names in the contract; view and ids are one, the `grouping`. */
export type Arguments<K extends BatchKernelKey> = Omit<KernelContract<tf.Tensor>[K]['inputs'], 'ids'> &
  Omit<KernelContract[K]['attributes'], keyof ChannelView> & { readonly grouping: Grouping };

/** The same of a kernel that overwrites x, in one group. */
export type OverCall<K extends 'normalizeOver' | 'measureOver'> = KernelContract<tf.Tensor>[K]['inputs'] &
  Omit<KernelContract[K]['attributes'], keyof ChannelView> & { readonly grouping: ChannelView };

/** gamma and beta: [channels], or [groups, channels] for one of each per group. Absent: 1 and 0. */
export interface Affine {
  readonly gamma?: tf.Tensor | undefined;
  readonly beta?: tf.Tensor | undefined;
}

/** The gradients of a normalization by the moments of x itself. */
export interface Gradients {
  readonly dx: tf.Tensor;
  /** In the shape of gamma and beta; undefined for one that is absent. */
  readonly dgamma?: tf.Tensor | undefined;
  readonly dbeta?: tf.Tensor | undefined;
}

/** A step of an average, for mean and variance [channels]. */
export interface MovingAverageArguments {
  readonly moving: ChannelMoments;
  /** Mean and variance, or both packed, [2, 1, channels]. */
  readonly batch: ChannelMoments | tf.Tensor3D;
  readonly rate: number;
}
