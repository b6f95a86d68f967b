import type * as tf from '@tensorflow/tfjs-core';

/** A mean and a variance per channel, on the device, without saying of how many values. */
export interface ChannelMoments {
  /** Float32, [channels], or [groups, channels] for those of each group. */
  readonly mean: tf.Tensor;
  /** Biased (population) variance, in the shape of `mean`. */
  readonly variance: tf.Tensor;
}
