// What the tests of this package share. Not published.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@rebatch/kernels-wasm';
import { seededRandom } from '@rebatch/testing';
import { beforeAll, describe } from 'vitest';
import { type BatchNormalizationConfig, type BatchNormLayer, batchNormalization } from './index.ts';

/** Runs a suite with composed ops (cpu) and with kernels (wasm). */
export function onEachBackend(suite: (backend: 'cpu' | 'wasm') => void): void {
  describe.each(['cpu', 'wasm'] as const)('%s', (backend) => {
    beforeAll(async () => {
      await tf.setBackend(backend);
    });
    suite(backend);
  });
}

/** Normal float32 values in the given shape, away from zero mean and unit variance. */
export function randomTensor(shape: number[], seed: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(seededRandom(seed).normals(size, 1.5, 2), shape);
}

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

/** The same positive random weights for each layer of the same weight shapes. */
export function randomizeWeights(layer: tfl.layers.Layer, seed: number): void {
  const random = seededRandom(seed);
  tf.tidy(() => {
    layer.setWeights(
      layer.getWeights().map((weight) => {
        const values = Float32Array.from({ length: weight.size }, () => 0.3 + random.uniform());
        return tf.tensor(values, weight.shape);
      }),
    );
  });
}

/** Frees a layer that was built but perhaps never applied (`layer.dispose` refuses those). */
export function disposeWeights(layer: tfl.layers.Layer): void {
  for (const weight of layer.weights) weight.read().dispose();
}

/** All weights of a layer or model, one array each. */
export function weightValues(layer: tfl.layers.Layer): Float32Array[] {
  return layer.getWeights().map((weight) => weight.dataSync<'float32'>().slice());
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
