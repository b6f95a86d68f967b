import { expect, test } from 'vitest';
import { expectClose } from './close.ts';
import { seededRandom } from './random.ts';
import { referenceBatchNorm, referenceBatchNormGradients } from './reference.ts';
import { referenceSlotMoments, referenceSlotNorm } from './reference-slots.ts';
import { slopesOf } from './slopes.test.support.ts';

const random = seededRandom(3);
const SIZE = 30;
const x = Float64Array.from(random.normals(SIZE, 1, 2));
const dy = random.normals(SIZE);
const gamma = Float64Array.from(random.normals(4, 1));
const beta = Float64Array.from(random.normals(4));
// The last slot of either kind is empty, and the last value belongs to none.
const slots = {
  moments: Array.from(x, (_, i) => (i === SIZE - 1 ? -1 : i % 2)),
  affine: Array.from(x, (_, i) => i % 3),
  counts: { moments: 3, affine: 4 },
};

test('moments of a case done by hand', () => {
  const { count, mean, variance } = referenceSlotMoments([1, 10, 3, 20, 7, 99], [0, 1, 0, 1, 2, -1], 4);
  expect([...count]).toEqual([2, 2, 1, 0]);
  expect([...mean]).toEqual([2, 15, 7, 0]);
  expect([...variance]).toEqual([1, 25, 0, 0]);
});

test('values that do not count are normalized by the others', () => {
  const counted = [true, false, true, true];
  const of = { moments: [0, 0, 0, 0], affine: [0, 0, 0, 0], counts: { moments: 1, affine: 1 } };
  const { y, mean, variance, count } = referenceSlotNorm([1, 100, 3, 5], [0, 0, 0, 0], of, {
    epsilon: 1 / 3,
    counted,
  });
  expect([mean[0], count[0]]).toEqual([3, 3]);
  expect(variance[0]).toBeCloseTo(8 / 3, 14);
  expectClose(
    y,
    [-2, 97, 0, 2].map((value) => value / Math.sqrt(3)),
    1e-14,
  );
});

test('the gradients are the slopes of the values, also where some moments are constants, or some do not count', () => {
  const constants = new Map([[1, { mean: 0.5, variance: 2 }]]);
  const counted = Array.from(x, (_, i) => i % 5 !== 2);
  for (const options of [
    { epsilon: 1e-3 },
    { epsilon: 1e-3, constants },
    { epsilon: 1e-3, counted },
    { epsilon: 1e-3, constants, counted },
  ]) {
    const gradients = referenceSlotNorm(x, dy, slots, { ...options, gamma, beta });
    const loss = () => {
      const { y } = referenceSlotNorm(x, dy, slots, { ...options, gamma, beta });
      return y.reduce((sum, value, i) => (Number.isNaN(value) ? sum : sum + value * dy[i]!), 0);
    };
    expect(gradients.dx[SIZE - 1]).toBeNaN();
    expectClose(gradients.dx.slice(0, -1), slopesOf(loss, x).slice(0, -1), 1e-7, 'dx');
    expectClose(gradients.dgamma, slopesOf(loss, gamma), 1e-7, 'dgamma');
    expectClose(gradients.dbeta, slopesOf(loss, beta), 1e-7, 'dbeta');
  }
});

test('groups of consecutive samples are a special case', () => {
  const layout = { outer: 5, channels: 3, inner: 2, groups: 1 };
  const channel = Array.from(x, (_, i) => Math.floor(i / 2) % 3);
  const same = { moments: channel, affine: channel, counts: { moments: 3, affine: 3 } };
  const affine = { gamma: gamma.slice(0, 3), beta: beta.slice(0, 3), epsilon: 1e-3 };
  const actual = referenceSlotNorm(x, dy, same, affine);
  const expected = referenceBatchNormGradients(x, dy, layout, affine);
  expectClose(actual.y, referenceBatchNorm(x, layout, affine), 1e-14, 'y');
  expectClose(actual.dx, expected.dx, 1e-14, 'dx');
  expectClose(actual.dgamma, expected.dgamma, 1e-14, 'dgamma');
  expectClose(actual.dbeta, expected.dbeta, 1e-14, 'dbeta');
});
