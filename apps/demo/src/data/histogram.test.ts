import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BINS, histogramOf, REACH } from './histogram.ts';

test('values are counted in standard deviations from the mean', () => {
  const found = histogramOf([10, 12, 12, 1e6], 10, 2);
  const at = (normalized: number) => ((normalized + REACH) / (2 * REACH)) * BINS;
  expect(found[at(0)]).toBe(0.25);
  expect(found[at(1)]).toBe(0.5);
  // Far beyond: still in sight.
  expect(found[BINS - 1]).toBe(0.25);
});

test('no value is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (values) => {
      expect(histogramOf(values, 1, 0.5).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    }),
  );
});
