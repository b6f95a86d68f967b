// A normalization batch with one value per channel, normalized all the same: as TensorFlow does.
import { batchNormalize, jointBatchNormalize, segmentBatchNormalize } from '@rebatch/core';
import { packedBatchNormalize } from '@rebatch/core/~internal';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { run } from './values.ts';

const singleValue = 'normalize';

/** Declares the tests for the backend that is current when they run. */
export function describeSingleValues(): void {
  const ops: [string, number[], (x: tf.Tensor, options: object) => tf.Tensor][] = [
    ['batchNormalize', [1, 1, 1, 3], (x, options) => batchNormalize(x, { ...options, singleValue }).y],
    ['batchNormalize', [2, 3], (x, options) => batchNormalize(x, { ...options, singleValue, groups: 2 }).y],
    ['packedBatchNormalize', [1, 3], (x, options) => packedBatchNormalize(x, { ...options, singleValue }).y],
    [
      'jointBatchNormalize',
      [1, 3],
      (x, options) => jointBatchNormalize([x], { ...options, singleValue }).ys[0]!,
    ],
    [
      'segmentBatchNormalize',
      [2, 1, 3],
      (x, options) => {
        const ids = tf.tensor1d([0, 1], 'int32');
        return segmentBatchNormalize(x, ids, 2, { ...options, singleValue }).y;
      },
    ],
  ];

  test.each(ops)(
    '%s of shape %j: a single value becomes beta, and gets no gradient',
    async (_, shape, op) => {
      const rows = shape.reduce((a, b) => a * b, 1) / 3;
      const values = [1e4, -7.25, 0, 3.5, 1e-4, 9].slice(0, 3 * rows);
      const dy = Float32Array.from(values, (_, i) => i + 1);
      const [gamma, beta] = [
        [2, 0.5, -1],
        [0.25, -3, 1e3],
      ];
      const inputs = [tf.tensor(values, shape), tf.tensor1d(gamma!), tf.tensor1d(beta!)];
      const { outputs, gradients } = await run(([x, gamma, beta]) => [op(x!, { gamma, beta })], inputs, [dy]);
      expect([...outputs[0]!]).toEqual(values.map((_, i) => beta![i % 3]!));
      expect([...gradients[0]!].map(Math.abs)).toEqual(values.map(() => 0));
      expect([...gradients[1]!].map(Math.abs)).toEqual([0, 0, 0]);
      expectClose(
        gradients[2]!,
        [0, 1, 2].map((c) => dy.filter((_, i) => i % 3 === c).reduce((sum, value) => sum + value, 0)),
        1e-6,
        'dbeta',
      );
      tf.dispose(inputs);
    },
  );

  test('its variance is 0, its mean the value', async () => {
    const x = tf.tensor2d([[5, -2]]);
    const { y, mean, variance, count } = batchNormalize(x, { singleValue });
    expect([...(await mean.data())]).toEqual([5, -2]);
    expect([...(await variance.data())]).toEqual([0, 0]);
    expect(count).toBe(1);
    tf.dispose([x, y, mean, variance]);
  });
}
