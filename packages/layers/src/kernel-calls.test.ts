// What the settings cost, in kernel calls: times are for the benches, but these must not grow unnoticed.

import { randomTensor } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { type BatchNormalizationConfig, batchNormalization } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

/** The kernels of ours that forward and backward run, with the groups they ran on. */
function kernelsOf(config: BatchNormalizationConfig, samples: number) {
  const layer = batchNormalization(config);
  const x = randomTensor([samples, 3, 4], 1);
  layer.build(x.shape);
  const spy = vi.spyOn(tf.engine(), 'runKernel');
  const affine =
    config.frozen?.affine === 'fixed' ? [] : layer.weights.slice(0, 2).map((weight) => weight.read());
  const gradients = tf.grads(() => layer.apply(x, { training: true }) as tf.Tensor);
  tf.tidy(() => void gradients([x, ...affine], tf.onesLike(x)));
  const calls = spy.mock.calls.filter(([name]) => name.startsWith('Rebatch'));
  spy.mockRestore();
  return calls.map(
    ([name, , attributes]) => `${name.slice('Rebatch'.length)} ${(attributes as { groups: number }).groups}`,
  );
}

const batch = (groups: number) => ['Moments', 'Normalize'].map((kernel) => `${kernel} ${groups}`);

test('normalization batches are one grouped call of each kernel', () => {
  expect(kernelsOf({ normalizationBatchSize: 2 }, 8)).toEqual([...batch(4), 'Backward 4']);
  expect(kernelsOf({ normalizationBatchSize: 8 }, 8)).toEqual([...batch(1), 'Backward 1']);
});

test('a remainder is one more group of the same call', () => {
  // Groups of different sizes: what the sums are divided by is a tensor.
  const backward = ['BackwardReduce 3', 'BackwardInput 3'];
  expect(kernelsOf({ normalizationBatchSize: 3 }, 8)).toEqual([...batch(3), ...backward]);
});

test('frozen with the affine part fixed: one call forward, one backward, and no sums', () => {
  expect(kernelsOf({ frozen: { affine: 'fixed' } }, 8)).toEqual(['Normalize 1', 'Normalize 1']);
  const trainable = kernelsOf({ frozen: { affine: 'trainable' } }, 8);
  expect(trainable).toEqual(['Normalize 1', 'Normalize 1', 'BackwardReduce 1']);
});
