import { expect, test } from 'vitest';
import { sampleIndices, shuffledBatches } from './shuffle.ts';

test('an epoch visits each sample at most once, in full batches, and the seed decides the order', () => {
  const take = (seed: number, n: number) => {
    const batches = shuffledBatches(10, 3, seed);
    return Array.from({ length: n }, () => batches.next().value);
  };
  const epoch = take(1, 3).flat();
  expect(new Set(epoch).size).toBe(9);
  expect(epoch.every((i) => i >= 0 && i < 10)).toBe(true);
  expect(take(1, 5)).toEqual(take(1, 5));
  expect(take(1, 3)).not.toEqual(take(2, 3));
  expect(take(1, 6).slice(3)).not.toEqual(take(1, 3));
  expect(() => shuffledBatches(2, 3, 1).next()).toThrow(/batch of 3/);
});

test('samples are different and seeded', () => {
  const some = sampleIndices(100, 40, 7);
  expect(new Set(some).size).toBe(40);
  expect(sampleIndices(100, 40, 7)).toEqual(some);
  expect(() => sampleIndices(3, 4, 1)).toThrow(/4 of 3/);
});
