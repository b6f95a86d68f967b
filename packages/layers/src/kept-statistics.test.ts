// What inference keeps between calls: it must be that of the statistics as they are, and be freed with the layer.

import { onEachBackend, randomTensor } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { type BatchNormalization, batchNormalization } from './index.ts';

const SHAPE = [6, 3];

/** What the layer has to give by its weights, in float64. */
function expected(layer: BatchNormalization, x: tf.Tensor): number[] {
  const [gamma, beta, mean, variance] = layer.getWeights().map((weight) => weight.dataSync());
  return Array.from(x.dataSync(), (value, i) => {
    const c = i % SHAPE[1]!;
    return ((value - mean![c]!) / Math.sqrt(variance![c]! + layer.epsilon)) * gamma![c]! + beta![c]!;
  });
}

function expectCurrent(layer: BatchNormalization, x: tf.Tensor, what: string): void {
  const y = layer.apply(x) as tf.Tensor;
  expectClose(y.dataSync(), expected(layer, x), 1e-5, what);
  y.dispose();
}

/** Everything that changes what a layer infers with. */
const CHANGES: Readonly<Record<string, (layer: BatchNormalization, x: tf.Tensor) => void>> = {
  'the mean is written': ({ movingMean }) => tf.tidy(() => void movingMean.write(tf.tensor1d([1, -2, 3]))),
  'the variance is written': ({ movingVariance }) =>
    tf.tidy(() => void movingVariance.write(tf.tensor1d([4, 0.5, 9]))),
  'both are put back': ({ movingMean, movingVariance }) =>
    tf.tidy(() => {
      movingMean.write(tf.zeros([3]));
      movingVariance.write(tf.ones([3]));
    }),
  'gamma and beta are written': ({ gamma, beta }) =>
    tf.tidy(() => {
      gamma!.write(tf.tensor1d([2, -1, 0.5]));
      beta!.write(tf.tensor1d([0.1, 0.2, 0.3]));
    }),
  'all weights are set': (layer) =>
    tf.tidy(() => layer.setWeights([2, 3, 4, 5].map((value) => tf.fill([3], value)))),
  'a variable is assigned': ({ movingMean }) =>
    tf.tidy(() => (movingMean.read() as tf.Variable).assign(tf.tensor1d([7, 8, 9]))),
  'it is trained': (layer, x) => tf.tidy(() => void layer.apply(x, { training: true })),
};

onEachBackend((backend) => {
  // The op that stands in for a kernel takes them as they are.
  const kept = backend === 'wasm' ? 1 : 0;

  test('inference follows each change of the weights', () => {
    const layer = batchNormalization();
    const x = randomTensor(SHAPE, 1);
    expectCurrent(layer, x, 'at first');
    for (const [what, change] of Object.entries(CHANGES)) {
      change(layer, x);
      expectCurrent(layer, x, what);
      expectCurrent(layer, x, `${what}, again`);
    }
    x.dispose();
    layer.dispose();
  });

  test('no number of inferences and changes keeps more than one tensor, and disposal frees it', () => {
    const before = tf.memory();
    const layer = batchNormalization();
    const x = randomTensor(SHAPE, 1);
    tf.tidy(() => void layer.apply(x, { training: true }));
    const built = tf.memory().numTensors;
    for (const change of Object.values(CHANGES)) {
      tf.tidy(() => void layer.apply(x));
      change(layer, x);
      tf.tidy(() => void layer.apply(x));
      expect(tf.memory().numTensors - built).toBe(kept);
    }
    layer.dispose();
    x.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  test('a model’s disposal frees what its layers keep', () => {
    const before = tf.memory().numTensors;
    const model = tfl.sequential({ layers: [batchNormalization({ inputShape: [3] }), batchNormalization()] });
    tf.tidy(() => void model.predict(tf.ones(SHAPE)));
    tf.tidy(() => void model.predict(tf.ones(SHAPE)));
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('so does the disposal of a layer around it, or of its variables', () => {
    const before = tf.memory().numTensors;
    const inner = batchNormalization();
    const around = tfl.layers.timeDistributed({ layer: inner, inputShape: [4, 3] });
    const model = tfl.sequential({ layers: [around] });
    tf.tidy(() => void model.predict(tf.ones([2, 4, 3])));
    expect(tf.memory().numTensors).toBe(before + 4 + kept);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);

    const alone = batchNormalization();
    tf.tidy(() => void alone.apply(tf.ones(SHAPE)));
    for (const weight of alone.weights) weight.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('what is kept outlives the tidy that it was made in', () => {
    const layer = batchNormalization();
    const x = randomTensor(SHAPE, 1);
    tf.tidy(() => void layer.apply(x));
    expectCurrent(layer, x, 'after a tidy');
    const gradient = tf.grad((input: tf.Tensor) => layer.apply(input) as tf.Tensor)(x);
    expectClose(gradient.dataSync(), new Array(18).fill(1 / Math.sqrt(1 + layer.epsilon)), 1e-5, 'gradient');
    expectCurrent(layer, x, 'after a gradient');
    tf.dispose([x, gradient]);
    layer.dispose();
  });
});
