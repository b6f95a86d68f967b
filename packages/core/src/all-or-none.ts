import * as tf from '@tensorflow/tfjs-core';

/**
 * Makes several tensors that outlive the call, all of them or, if one cannot be made, none.
 *
 * @param make calls `add` with each tensor that it has made, before it makes the next.
 */
export function allOrNone<T>(make: (add: <U extends tf.Tensor>(tensor: U) => U) => T): T {
  const made: tf.Tensor[] = [];
  try {
    return make((tensor) => {
      made.push(tensor);
      return tensor;
    });
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
}
