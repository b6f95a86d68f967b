// A suite on backends with composed ops and with kernels, and layers with random weights.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@rebatch/kernels-wasm';
import { seededRandom } from '@rebatch/testing';
import { beforeAll, describe } from 'vitest';

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

/** Gives every variable different values from 0.3 to 1.3. */
export function randomizeWeights(layer: tfl.layers.Layer, seed: number): void {
  const random = seededRandom(seed);
  tf.tidy(() => {
    const values = layer.getWeights().map(({ size, shape }) =>
      tf.tensor(
        Float32Array.from({ length: size }, () => 0.3 + random.uniform()),
        shape,
      ),
    );
    layer.setWeights(values);
  });
}

/** All weights of a layer or model by their names, copied. */
export function weightsByName(layer: tfl.layers.Layer): Record<string, Float32Array> {
  const values = (variable: tfl.LayerVariable) => variable.read().dataSync<'float32'>().slice();
  return Object.fromEntries(layer.weights.map((variable) => [variable.originalName, values(variable)]));
}

/** All weights, one array each, copied. */
export function weightValues(layer: tfl.layers.Layer): Float32Array[] {
  return layer.getWeights().map((weight) => weight.dataSync<'float32'>().slice());
}
