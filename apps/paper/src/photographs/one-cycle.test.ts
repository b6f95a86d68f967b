import { expect, test } from 'vitest';
import { oneCycle } from './one-cycle.ts';

test('the rate rises from a 25th of the peak, and falls towards 0', () => {
  const rates = Array.from({ length: 1_000 }, (_, step) => oneCycle(0.2, step, 1_000));
  expect(rates[0]).toBeCloseTo(0.2 / 25, 12);
  // Half of the way up, and half of the way down.
  expect(rates[150]).toBeCloseTo((0.2 / 25 + 0.2) / 2, 12);
  expect(rates[300]).toBeCloseTo(0.2, 12);
  expect(rates[650]).toBeCloseTo(0.1, 12);
  expect(rates[999]).toBeCloseTo(0.1 * (1 - Math.cos(Math.PI / 700)), 12);
  expect(rates.every((rate, i) => i === 0 || rate > rates[i - 1]! === i <= 300)).toBe(true);
});
