import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestInRow } from './largest-in-row.ts';

test('is the first place that no other exceeds', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1 }), (row) => {
      expect(largestInRow([9, ...row, 9], 1, row.length)).toBe(row.indexOf(Math.max(...row)));
    }),
  );
});

test.each([0, 1, 2])('is none where value %i is NaN', (at) => {
  const row = [1, 2, 3].map((value, i) => (i === at ? Number.NaN : value));
  expect(largestInRow(row, 0, 3)).toBe(-1);
});
