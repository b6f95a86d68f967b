import * as tf from '@tensorflow/tfjs-core';

/**
 * The same values as float32, which the ops of this package take: x itself if it is that already. A disposed tensor is
 * returned as it is, so that the op it goes to can name it in its error.
 */
export function asFloat32(x: tf.Tensor): tf.Tensor {
  return x.isDisposed || x.dtype === 'float32' ? x : tf.cast(x, 'float32');
}
