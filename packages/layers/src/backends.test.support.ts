// What the tests of this package share. Not published.

import { randomizeWeights } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type BatchNormalizationConfig, type BatchNormLayer, batchNormalization } from './index.ts';

/** A layer of each kind, built for the shape, with the same random weights (positive ones for variances). */
export function buildPair(config: BatchNormalizationConfig, shape: number[], seed = 7) {
  const stock = tfl.layers.batchNormalization(config) as unknown as BatchNormLayer;
  const ours = batchNormalization(config);
  for (const layer of [stock, ours]) {
    layer.build(shape);
    randomizeWeights(layer, seed);
  }
  return { stock, ours };
}

/** Frees a layer that was built but perhaps never applied (`layer.dispose` refuses those). */
export function disposeWeights(layer: tfl.layers.Layer): void {
  for (const weight of layer.weights) weight.read().dispose();
}

/** The output of one application, and the gradients of sum(dy * output) in x and the layer's trainable weights. */
export function outputAndGradients(layer: tfl.layers.Layer, x: tf.Tensor, dy: tf.Tensor, training: boolean) {
  return tf.tidy(() => {
    const input: tf.Variable = tf.variable(x, true);
    let y = dy;
    const { grads } = tf.variableGrads(() => {
      y = tf.keep(layer.apply(input, { training }) as tf.Tensor);
      return tf.sum(tf.mul(y, dy)) as tf.Scalar;
    });
    const inOrder = layer.trainableWeights.map((weight) => grads[(weight.read() as tf.Variable).name]!);
    const result = {
      y: y.dataSync<'float32'>().slice(),
      dx: grads[input.name]!.dataSync<'float32'>().slice(),
      dweights: inOrder.map((gradient) => gradient.dataSync<'float32'>().slice()),
    };
    y.dispose();
    input.dispose();
    return result;
  });
}
