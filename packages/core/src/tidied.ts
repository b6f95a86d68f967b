import * as tf from '@tensorflow/tfjs-core';

/** tf.tidy for a result that is an object of tensors and numbers (which tidy handles, but its types do not say). */
export function tidied<T extends object>(body: () => T): T {
  return tf.tidy(body as unknown as () => tf.TensorContainer) as unknown as T;
}
