// Normalizing and measuring in place: as float64 has it, in the memory of x, for every way to walk a tensor.
import { batchNormalizeOver, measureOver, normalizeOver, preciseMoments } from '@rebatch/core/~internal';
import { KERNELS } from '@rebatch/core/kernels';
import { expectClose, expectNoLeaks, referenceMoments, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// Brings the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import '../index.ts';

const { POSITIVE_INFINITY } = Number;
const LIMITS = [
  { low: -POSITIVE_INFINITY, high: POSITIVE_INFINITY },
  { low: 0, high: POSITIVE_INFINITY },
  { low: 0, high: 6 },
] as const;
/** Rows that make up vectors and rows that do not, rests, and long runs of one channel. */
const SHAPES: readonly (readonly [readonly number[], number])[] = [
  [[70, 16], -1],
  [[9, 5, 5, 3], -1],
  [[33, 17], -1],
  [[130, 96], -1],
  [[1, 1], -1],
  [[4, 3, 7, 9], 1],
  [[3, 5, 2, 2], 1],
];

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  test.each(SHAPES)('x of shape %j, channels on axis %i', async (shape, axis) => {
    const random = seededRandom(shape.length + shape[0]!);
    const size = shape.reduce((a, b) => a * b);
    const channels = shape.at(axis)!;
    const inner = axis === 1 ? shape.slice(2).reduce((a, b) => a * b, 1) : 1;
    const channelOf = (i: number) => Math.floor(i / inner) % channels;
    const values = random.normals(size, 1, 4);
    const vectors = [0.5, 2, 1, 0.3].map((mean) => random.normals(channels, mean, 0.1));
    const [mean, variance, gamma, beta] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (const limits of LIMITS) {
      const clip = (value: number) => Math.min(limits.high, Math.max(limits.low, value));
      await expectNoLeaks(tf, async () => {
        const x = tf.tensor(values, [...shape]);
        const [m, v, g, b] = vectors.map((own) => tf.tensor1d(own)) as [
          ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
        ];
        const options = { axis, gamma: g, beta: b, epsilon: 1e-3 };
        const y = normalizeOver(x, { mean: m, variance: v }, options, limits);
        expect(y.shape).toEqual([...shape]);
        expectClose(
          y.dataSync(),
          Array.from(values, (value, i) => {
            const c = channelOf(i);
            return clip(((value - mean[c]!) / Math.sqrt(variance[c]! + 1e-3)) * gamma[c]! + beta[c]!);
          }),
          1e-5,
        );
        tf.dispose([x, m, v, g, b]);
        // Its memory is y's own then.
        expect(y.dataSync()).toHaveLength(size);
        y.dispose();
      });
      await expectNoLeaks(tf, async () => {
        const [x, same] = [tf.tensor(values, [...shape]), tf.tensor(values, [...shape])];
        const [g, b] = [tf.tensor1d(gamma), tf.tensor1d(beta)];
        const expected = preciseMoments(same, { axis });
        const { moments, y } = batchNormalizeOver(x, { axis, gamma: g, beta: b, epsilon: 1e-3 }, limits);
        expect(moments.packed.dataSync()).toEqual(expected.packed.dataSync());
        expect(moments.count).toBe(size / channels);
        const own = referenceMoments(values, { outer: size / channels / inner, channels, inner, groups: 1 });
        expectClose(
          y.dataSync(),
          Array.from(values, (value, i) => {
            const c = channelOf(i);
            return clip(((value - own.mean[c]!) / Math.sqrt(own.variance[c]! + 1e-3)) * gamma[c]! + beta[c]!);
          }),
          1e-5,
        );
        tf.dispose([x, same, g, b, y, expected.packed, moments.packed]);
      });
      await expectNoLeaks(tf, async () => {
        const [x, same] = [tf.tensor(values, [...shape]), tf.tensor(values, [...shape])];
        const expected = preciseMoments(same, { axis });
        const { moments, y } = measureOver(x, { axis }, limits);
        // The very same sums, in the same order.
        expect(moments.packed.shape).toEqual([3, 1, channels]);
        expect(moments.packed.dataSync()).toEqual(expected.packed.dataSync());
        expect(moments.count).toBe(size / channels);
        x.dispose();
        expect(Array.from(y.dataSync())).toEqual(Array.from(values, clip));
        tf.dispose([y, same, expected.packed, moments.packed]);
      });
    }
  });

  test('NaN stays, and shows in the moments', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([Number.NaN, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [6, 2]);
      const { moments, y } = measureOver(x, { axis: -1 }, LIMITS[2]);
      expect(moments.packed.dataSync()[0]).toBeNaN();
      expect(moments.packed.dataSync()[1]).toBe(6);
      expect(y.dataSync()[0]).toBeNaN();
    });
  });

  test('under a gradient tape nothing is overwritten', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, -2, 3, 4], [2, 2]);
      const moments = { mean: tf.zeros([2]), variance: tf.fill([2], 4) };
      const slope = tf.grad((own) => normalizeOver(own, moments, { axis: -1, epsilon: 0 }, LIMITS[1]))(x);
      expect(Array.from(slope.dataSync())).toEqual([0.5, 0, 0.5, 0.5]);
      expect(Array.from(x.dataSync())).toEqual([1, -2, 3, 4]);
    });
  });
});

test('there are kernels for it on wasm', () => {
  expect(tf.getKernel(KERNELS.normalizeOver, 'wasm')).toBeDefined();
  expect(tf.getKernel(KERNELS.measureOver, 'wasm')).toBeDefined();
});
