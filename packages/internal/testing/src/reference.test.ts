import { expect, test } from 'vitest';
import { expectClose, relativeError } from './close.ts';
import { seededRandom } from './random.ts';
import { referenceBatchNorm, referenceBatchNormGradients, referenceMoments } from './reference.ts';
import { slopesOf } from './slopes.test.support.ts';

const layout = { outer: 6, channels: 3, inner: 2, groups: 2 };

test('moments of a case done by hand', () => {
  const { mean, variance, count } = referenceMoments([1, 10, 3, 20, 5, 30], {
    outer: 3,
    channels: 2,
    inner: 1,
    groups: 1,
  });
  expect([...mean]).toEqual([3, 20]);
  expectClose(variance, [8 / 3, 200 / 3], 1e-15);
  expect(count).toBe(3);
});

test('the reference gradients are the slopes of the reference values', () => {
  const random = seededRandom(1);
  const size = 36;
  const x = Float64Array.from(random.normals(size));
  const dy = random.normals(size);
  const gamma = Float64Array.from(random.normals(3, 1));
  const beta = Float64Array.from(random.normals(3));
  const loss = () =>
    referenceBatchNorm(x, layout, { gamma, beta, epsilon: 1e-3 }).reduce((sum, y, i) => sum + y * dy[i]!, 0);
  const gradients = referenceBatchNormGradients(x, dy, layout, { gamma, epsilon: 1e-3 });
  expectClose(gradients.dx, slopesOf(loss, x), 1e-8);
  expectClose(gradients.dgamma, slopesOf(loss, gamma), 1e-8);
  expectClose(gradients.dbeta, slopesOf(loss, beta), 1e-8);
});

test('relativeError sees what is off', () => {
  expect(relativeError([1, 2], [1, 2])).toBe(0);
  expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([1.1], [1])).toBeCloseTo(0.1);
  expect(() => expectClose([1.1], [1], 0.01)).toThrow(/relative error/);
});
