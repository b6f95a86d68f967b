// How exact these kernels are, beyond what the conformance suite asks of every backend.
import { runKernel } from '@rebatch/core/kernels';
import { expectClose, type Layout, referenceMoments, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '../index.ts';

const random = seededRandom(7);

const sizeOf = ({ outer, channels, inner }: Layout) => outer * channels * inner;

describe('batch-norm kernels', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it.each([
    { outer: 50_000, channels: 5, inner: 1, groups: 1 },
    { outer: 4096, channels: 64, inner: 1, groups: 2 },
    { outer: 64, channels: 6, inner: 784, groups: 1 },
    { outer: 64, channels: 6, inner: 25, groups: 4 },
  ])('keeps the variance where the mean is 10,000 times the deviation: %o', (layout) => {
    const values = random.normals(sizeOf(layout), 1e4, 1);
    const { mean, variance } = referenceMoments(values, layout);
    const packed = tf.tidy(() => runKernel('moments', { x: tf.tensor1d(values) }, layout).dataSync());
    expectClose(packed.subarray(0, mean.length), mean, 1e-6, 'mean');
    expectClose(packed.subarray(mean.length), variance, 1e-6, 'variance');
  });

  it.each([1, 7, 100])(
    'stays exact where the first value is an outlier or the values drift (inner = %i)',
    (inner) => {
      const layout = { outer: 1000, channels: 3, inner, groups: 1 };
      const outlier = random.normals(sizeOf(layout), 5, 0.01).fill(1e4, 0, 3 * inner);
      const drifting = random.normals(sizeOf(layout), 0, 0.01).map((value, i) => value + i / 3 / inner);
      for (const values of [outlier, drifting]) {
        const { mean, variance } = referenceMoments(values, layout);
        const packed = tf.tidy(() => runKernel('moments', { x: tf.tensor1d(values) }, layout).dataSync());
        for (let c = 0; c < 3; c++) {
          expect(Math.abs(packed[c]! - mean[c]!)).toBeLessThan(
            1e-6 * Math.max(mean[c]!, Math.sqrt(variance[c]!)),
          );
        }
        expectClose(packed.subarray(3), variance, 1e-6, 'variance');
      }
    },
  );

  it.each([1, 40])('gives a constant channel a variance of exactly 0 (inner = %i)', (inner) => {
    const layout = { outer: 100, channels: 3, inner, groups: 1 };
    const values = new Float32Array(sizeOf(layout)).fill(1234.567);
    const packed = tf.tidy(() => runKernel('moments', { x: tf.tensor1d(values) }, layout).dataSync());
    expect([...packed]).toEqual([...new Array(3).fill(Math.fround(1234.567)), 0, 0, 0]);
  });

  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ])('lets %s surface in its own channel alone, wherever it is', (_, bad) => {
    for (const inner of [1, 7, 40]) {
      const layout = { outer: 71, channels: 3, inner, groups: 1 };
      for (const row of [0, 35, 70]) {
        const values = random.normals(sizeOf(layout));
        values[(row * 3 + 1) * inner + inner - 1] = bad;
        const packed = tf.tidy(() => runKernel('moments', { x: tf.tensor1d(values) }, layout).dataSync());
        const finite = [...packed].map(Number.isFinite);
        expect(finite).toEqual([true, false, true, true, false, true]);
      }
    }
  });

  it('keeps the shape of x', () => {
    tf.tidy(() => {
      const x = tf.randomNormal([2, 3, 4, 5]);
      const attributes = { outer: 24, channels: 5, inner: 1, groups: 1, epsilon: 1e-3 };
      const moments = runKernel('moments', { x }, attributes);
      const pulls = runKernel('backwardReduce', { dy: x, x, moments }, attributes);
      expect(runKernel('normalize', { x, moments }, attributes).shape).toEqual(x.shape);
      expect(runKernel('backwardInput', { dy: x, x, moments, pulls }, attributes).shape).toEqual(x.shape);
    });
  });
});
