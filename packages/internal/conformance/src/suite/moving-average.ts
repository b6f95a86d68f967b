// A step of the moving average: it must be the stock layer's, rounding included.
import { InvalidInputError } from '@rebatch/core';
import { movingAverage } from '@rebatch/core/~internal';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';

const { fround } = Math;

/** Each operation rounded to float32, as TensorFlow.js's ops are. */
const step = (moving: Float32Array, batch: Float32Array, momentum: number) =>
  moving.map((value, i) => fround(value - fround(fround(value - batch[i]!) * fround(1 - momentum))));

/** Declares the tests for the backend that is current when they run. */
export function describeMovingAverage(): void {
  describe('movingAverage', () => {
    test.each([
      [1, 0.99],
      [3, 0],
      [17, 1],
      [64, 0.9],
      [1023, 0.999],
    ])('of %i channels with momentum %d is that of tf.layers, bit by bit', async (channels, momentum) => {
      const random = seededRandom(channels);
      const values = [5, 1, 4, 2].map((mean) => random.normals(channels, mean, 3));
      const [mean, variance, batchMean, batchVariance] = values as [
        ...[Float32Array, Float32Array, Float32Array, Float32Array],
      ];
      await expectNoLeaks(tf, async () => {
        const [m, v, b, w] = values.map((each) => tf.tensor1d(each)) as [
          ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
        ];
        const packed = tf.tensor3d(Float32Array.of(...batchMean, ...batchVariance), [2, 1, channels]);
        for (const batch of [packed, { mean: b, variance: w }]) {
          const next = movingAverage({ mean: m, variance: v }, batch, momentum);
          expect([next.mean.shape, next.variance.shape]).toEqual([[channels], [channels]]);
          expect(await next.mean.data()).toEqual(step(mean, batchMean, momentum));
          expect(await next.variance.data()).toEqual(step(variance, batchVariance, momentum));
          tf.dispose([next.mean, next.variance]);
        }
        tf.dispose([m, v, b, w, packed]);
      });
    });

    test('lets what is not finite in a channel of the batch show there alone', async () => {
      const moving = { mean: tf.zeros([3]), variance: tf.ones([3]) };
      const batch = tf.tensor3d([1, Number.NaN, 2, 1, 1, Number.POSITIVE_INFINITY], [2, 1, 3]);
      const next = movingAverage(moving, batch, 0.5);
      expect([...(await next.mean.data())]).toEqual([0.5, Number.NaN, 1]);
      expect([...(await next.variance.data())]).toEqual([1, 1, Number.POSITIVE_INFINITY]);
      tf.dispose([moving, batch, next.mean, next.variance]);
    });

    test('refuses what does not fit, and leaves nothing behind', () => {
      const moving = { mean: tf.zeros([3]), variance: tf.ones([3]) };
      const [packed, grouped] = [tf.zeros([2, 1, 3]), tf.zeros([2, 2, 3])] as [tf.Tensor3D, tf.Tensor3D];
      const other = { mean: tf.zeros([3]), variance: tf.ones([4]) };
      const before = tf.memory().numTensors;
      const attempts: [() => unknown, string][] = [
        [() => movingAverage(moving, packed, 1.5), 'expected momentum from 0 to 1, got 1.5'],
        [() => movingAverage(moving, packed, Number.NaN), 'expected momentum from 0 to 1, got NaN'],
        [
          () => movingAverage(moving, grouped, 0.9, 'bn1'),
          "movingAverage (layer 'bn1'): expected the batch's moments of shape [2, 1, 3], means and variances, got [2, 2, 3]",
        ],
        [() => movingAverage(moving, other, 0.9), "expected the batch's variance of shape [3], got [4]"],
        [() => movingAverage(other, packed, 0.9), 'expected the moving variance of shape [3], got [4]'],
      ];
      for (const [attempt, message] of attempts) {
        expect(attempt).toThrow(InvalidInputError);
        expect(attempt).toThrow(message);
      }
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([moving, packed, grouped, other]);
    });
  });
}
