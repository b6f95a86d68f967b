// packedBatchNormalize against batchNormalize, which the conformance suite holds against the reference.
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { packedBatchNormalize } from './~internal.ts';
import { batchNormalize, NormalizationBatchError } from './index.ts';

const random = seededRandom(61);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([
  { shape: [6, 4, 3], axis: -1, groups: undefined },
  { shape: [6, 4, 3], axis: 1, groups: 3 },
])('y, moments and gradients are those of batchNormalize: %o', ({ shape, axis, groups }) => {
  tf.tidy(() => {
    const channels = shape.at(axis)!;
    const [x, dy] = [tf.tensor(random.normals(72, 2), shape), tf.tensor(random.normals(72), shape)];
    const [gamma, beta] = [tf.tensor1d(random.normals(channels, 1)), tf.tensor1d(random.normals(channels))];
    const options = { axis, ...(groups && { groups }) };
    const expected = batchNormalize(x, { ...options, gamma, beta });
    const actual = packedBatchNormalize(x, { ...options, gamma, beta });
    expect(actual.y.dataSync()).toEqual(expected.y.dataSync());
    expect(actual.moments.shape).toEqual([2, groups ?? 1, channels]);
    expect([...actual.moments.dataSync()]).toEqual([
      ...expected.mean.dataSync(),
      ...expected.variance.dataSync(),
    ]);
    const gradients = (op: typeof packedBatchNormalize | typeof batchNormalize) =>
      tf.grads((x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => op(x, { ...options, gamma, beta }).y)(
        [x, gamma, beta],
        dy,
      );
    const [ours, theirs] = [gradients(packedBatchNormalize), gradients(batchNormalize)];
    for (const [at, gradient] of ours.entries()) {
      expect(gradient.dataSync()).toEqual(theirs[at]!.dataSync());
    }
  });
});

test('its moments are differentiable in x', () => {
  tf.tidy(() => {
    const x = tf.tensor(random.normals(24), [8, 3]);
    const dx = tf.grad((x: tf.Tensor) => tf.sum(packedBatchNormalize(x).moments))(x);
    const expected = tf.grad((x: tf.Tensor) => {
      const { mean, variance } = batchNormalize(x);
      return tf.add(tf.sum(mean), tf.sum(variance));
    })(x);
    expect(dx.dataSync()).toEqual(expected.dataSync());
  });
});

test('refuses a single value per channel, in its own name', () => {
  const x = tf.ones([1, 3]);
  expect(() => packedBatchNormalize(x, { name: 'bn' })).toThrow(NormalizationBatchError);
  expect(() => packedBatchNormalize(x, { name: 'bn' })).toThrow(/^packedBatchNormalize \(layer 'bn'\)/);
  x.dispose();
});

test('leaks nothing, forward or backward', async () => {
  await expectNoLeaks(tf, () => {
    const x = tf.tensor(random.normals(24), [8, 3]);
    const { y, moments } = packedBatchNormalize(x);
    const dx = tf.grad((x: tf.Tensor) => packedBatchNormalize(x).y)(x);
    tf.dispose([x, y, moments, dx]);
  });
});
