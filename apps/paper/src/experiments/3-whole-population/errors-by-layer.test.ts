import { expect, test } from 'vitest';
import { errorsByLayer } from './errors-by-layer.ts';

test('variances differ by logarithms, means by exact deviations, over the channels by the root mean square', () => {
  const layer = (mean: number[], variance: number[]) => ({ name: 'bn', mean, variance });
  const exact = [layer([0, 10], [4, 1]), layer([1], [1])];
  const found = errorsByLayer(exact, [layer([2, 10], [4 * Math.E, 1 / Math.E]), layer([1], [1])]);
  expect(found.varianceErrors).toEqual([expect.closeTo(1, 12), 0]);
  // One deviation of 2, and none: the root of one half.
  expect(found.meanErrors).toEqual([expect.closeTo(Math.SQRT1_2, 12), 0]);
});
