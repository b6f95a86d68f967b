import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorScale } from './error-scale.ts';

test('goes down to a round number below the least error', () => {
  const lowest = (...shares: number[]) => errorScale(shares).axis.domain[0];
  expect(lowest()).toBe(20);
  expect(lowest(0.9, 0.2)).toBe(10);
  expect(lowest(0.9, 0.1)).toBe(5);
  expect(lowest(0.9, 0.054)).toBe(2);
  expect(lowest(0.012)).toBe(1);
  expect(lowest(0.01)).toBe(0.5);
  // One of 500.
  expect(lowest(0.5, 0.002)).toBe(0.1);
  expect(lowest(0)).toBe(0.1);
});

test('every error is drawn within the axis, larger ones higher', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (shares) => {
      const { axis, at } = errorScale(shares);
      expect(axis.ticks[0]).toBe(axis.domain[0]);
      const sorted = shares.sort((a, b) => a - b).map(at);
      expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
      for (const height of sorted) {
        expect(height).toBeGreaterThanOrEqual(axis.domain[0]);
        expect(height).toBeLessThanOrEqual(100);
      }
    }),
  );
});
