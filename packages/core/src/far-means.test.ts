// The bound that the README states for values with a mean far larger than their deviation.
import { referenceBatchNorm, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { batchNormalize } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([0, 30, 300, 1e3, 1e4])('a mean of %d deviations', async (center) => {
  const x = seededRandom(center + 1).normals(2048 * 4, center);
  const layout = { outer: 2048, channels: 4, inner: 1, groups: 1 };
  const expected = referenceBatchNorm(x, layout, { epsilon: 1e-3 });
  const tensor = tf.tensor2d(x, [2048, 4]);
  const { y, mean, variance } = batchNormalize(tensor);
  const error = (await y.data<'float32'>()).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
    0,
  );
  expect(error).toBeLessThanOrEqual(1e-5 + 6e-8 * center);
  tf.dispose([tensor, y, mean, variance]);
});
