import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Side } from './measure.ts';

/**
 * Forward + backward of a layer or block as training runs it, moving averages included: the gradients of x and of all
 * trainable weights. Builds the layer.
 */
export function layerSide(layer: tfl.layers.Layer, x: tf.Tensor, dy: tf.Tensor): Side {
  if (!layer.built) layer.build(x.shape);
  const weights = layer.trainableWeights.map((weight) => weight.read());
  const gradients = tf.grads((input: tf.Tensor) => layer.apply(input, { training: true }) as tf.Tensor);
  return { run: () => tf.tidy(() => void gradients([x, ...weights], dy)) };
}
