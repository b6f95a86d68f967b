import * as tf from '@tensorflow/tfjs-core';

/**
 * Disposes what a backward pass that was cut off by an error has left on the gradient tape. TensorFlow.js keeps the
 * tensors that were saved for the gradients out of the way of tidy, and frees them only at the end of a backward pass.
 */
export function releaseTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth !== 0) return;
  for (const node of state.activeTape ?? []) tf.dispose(node.saved ?? []);
  state.activeTape = [];
}
