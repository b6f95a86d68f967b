import * as tf from '@tensorflow/tfjs-core';

/** Whether the backward pass that runs is itself recorded, because a gradient is to be differentiated again. */
export function isDifferentiatedAgain(): boolean {
  // A backward pass runs after its own tape has ended.
  return tf.engine().state.gradientDepth > 0;
}
