import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';

/**
 * Moments as kernels take them, [2, 1, channels], packed when they are first asked for and kept until others are. It holds
 * one tensor, outside of any tidy, until the mean that it is of is disposed.
 */
export class KeptMoments {
  #packed: tf.Tensor3D | undefined;
  // What is behind a tensor's data never changes: a variable that is assigned has other data.
  #mean: object | undefined;
  #variance: object | undefined;
  #watched: tf.Tensor | undefined;

  /** @param moments mean and variance, float32 [channels]. */
  packed({ mean, variance }: ChannelMoments): tf.Tensor3D {
    const kept = this.#packed;
    if (kept && !kept.isDisposed && this.#mean === mean.dataId && this.#variance === variance.dataId)
      return kept;
    const packed = tf.tidy(() => tf.keep(tf.reshape(tf.stack([mean, variance]), [2, 1, mean.size])));
    this.#free();
    this.#packed = packed as tf.Tensor3D;
    this.#mean = mean.dataId;
    this.#variance = variance.dataId;
    this.#watch(mean);
    return this.#packed;
  }

  #free(): void {
    if (this.#packed && !this.#packed.isDisposed) this.#packed.dispose();
    this.#packed = undefined;
    this.#mean = undefined;
    this.#variance = undefined;
  }

  /**
   * Frees with the tensor, which is a variable as a rule: who disposes of one is its layer, a layer around that, a model or
   * `tf.disposeVariables`, and only the variable learns of all of them.
   */
  #watch(mean: tf.Tensor): void {
    if (this.#watched === mean) return;
    this.#watched = mean;
    const dispose = mean.dispose.bind(mean);
    mean.dispose = () => {
      if (this.#watched === mean) this.#free();
      dispose();
    };
  }
}
