import * as tf from '@tensorflow/tfjs-core';

/**
 * The same values as float32, which the ops of this package take: x itself if it is that already. What float32 cannot hold
 * (complex numbers, of which a cast would drop half, and texts) is returned as it is, and so is a disposed tensor, so that
 * the op it goes to can name it in its error.
 */
export function asFloat32(x: tf.Tensor): tf.Tensor {
  return holdsWholeNumbers(x) && !x.isDisposed ? tf.cast(x, 'float32') : x;
}

/** Whether its values are whole numbers, or truths, which float32 has, too. */
export function holdsWholeNumbers({ dtype }: tf.Tensor): boolean {
  return dtype === 'int32' || dtype === 'bool';
}
