import { expect, test } from 'vitest';
import { deviation, mean, percent, percentSpread } from './summary.ts';

test('mean and sample deviation', () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(deviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 12);
  expect(deviation([4])).toBe(0);
  expect(() => mean([])).toThrow(RangeError);
});

test('shares read as percent', () => {
  expect(percent(0.01234)).toBe('1.23%');
  expect(percentSpread([0.01, 0.02])).toBe('1.50 ±0.71');
  expect(percentSpread([0.01])).toBe('1.00');
});
