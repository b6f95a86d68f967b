// Digits: what float32 sums lose, unless one takes care.
import { batchMoments, normalize } from '@rebatch/core';
import { viewChannels } from '@rebatch/core/~internal';
import { expectClose, referenceMoments, referenceNormalize, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';

const TOLERANCE = 1e-5;

/** Declares the tests for the backend that is current when they run. */
export function describeExactness(fewer: boolean): void {
  const widths = fewer ? [3, 17] : [1, 3, 4, 17, 64];

  test.each([
    { shape: [5000, 6], axis: 1 },
    { shape: [16, 12, 12, 5], axis: 3 },
    { shape: [12, 5, 13, 13], axis: 1 },
  ])('a mean of 1e4 standard deviations leaves the moments exact: $shape', async ({ shape, axis }) => {
    const layout = viewChannels(shape, { axis });
    const x = seededRandom(7).normals(
      shape.reduce((a, b) => a * b, 1),
      1e4,
      1,
    );
    const tensor = tf.tensor(x, shape);
    const moments = batchMoments(tensor, { axis });
    const expected = referenceMoments(x, layout);
    expectClose(await moments.mean.data(), expected.mean, 1e-6, 'mean');
    expectClose(await moments.variance.data(), expected.variance, 1e-6, 'variance');
    tf.dispose([tensor, moments.mean, moments.variance]);
  });

  test('normalizing keeps its digits at a mean of 1e4 standard deviations', async () => {
    const x = seededRandom(10).normals(4000, 1e4, 1);
    const given = { mean: [1e4, 1e4 + 1, 1e4, 1e4], variance: [1, 0.5, 2, 1] };
    const layout = { outer: 1000, channels: 4, inner: 1, groups: 1 };
    const tensors = [tf.tensor(x, [1000, 4]), tf.tensor1d(given.mean), tf.tensor1d(given.variance)] as const;
    const y = normalize(tensors[0], { mean: tensors[1], variance: tensors[2] });
    expectClose(await y.data(), referenceNormalize(x, layout, given, { epsilon: 1e-3 }), TOLERANCE);
    tf.dispose([...tensors, y]);
  });

  test.each([1, 7, 31, 100])(
    'one outlier, wherever it is in its channel, does not cost the moments their digits (inner = %i)',
    async (inner) => {
      for (const [c, channels] of widths.entries()) {
        const outer = Math.ceil(1500 / inner);
        const count = outer * inner;
        const layout = { outer, channels, inner, groups: 1 };
        const middle = fewer ? [] : [3, Math.floor(count / 2)];
        for (const at of [0, ...middle, count - 1]) {
          const [outlier, mean, deviation] = c % 2 ? [1e6, 5, 0.01] : [12345.678, 0.1, 0.001];
          const x = seededRandom(8).normals(count * channels, mean, deviation);
          for (let channel = 0; channel < channels; channel++) {
            x[(Math.floor(at / inner) * channels + channel) * inner + (at % inner)] = outlier!;
          }
          const tensor = tf.tensor(x, [outer, channels, inner]);
          const moments = batchMoments(tensor, { axis: 1 });
          const expected = referenceMoments(x, layout);
          const where = `of ${channels} channels, outlier at ${at} of ${count}`;
          expectClose(await moments.mean.data(), expected.mean, 1e-6, `mean ${where}`);
          expectClose(await moments.variance.data(), expected.variance, 1e-6, `variance ${where}`);
          tf.dispose([tensor, moments.mean, moments.variance]);
        }
      }
    },
  );

  test('a constant channel has its mean and no variance', async () => {
    const tensor = tf.fill([1000, 3], 0.1);
    const moments = batchMoments(tensor);
    expectClose(await moments.mean.data(), [0.1, 0.1, 0.1], 1e-7);
    for (const v of await moments.variance.data()) expect(Math.abs(v)).toBeLessThan(1e-14);
    tf.dispose([tensor, moments.mean, moments.variance]);
  });

  test('NaN and Infinity show in the moments of their channel only', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = seededRandom(3).normals(200);
      values[101] = bad;
      const tensor = tf.tensor(values, [100, 2]);
      const moments = batchMoments(tensor);
      const [even, odd] = await moments.variance.data();
      expect(Number.isFinite(even)).toBe(true);
      expect(Number.isFinite(odd)).toBe(false);
      tf.dispose([tensor, moments.mean, moments.variance]);
    }
  });
}
