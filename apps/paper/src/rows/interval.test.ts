import { expect, test } from 'vitest';
import { confidence, decideByMargin, PLAIN, percentInterval, standardError } from './interval.ts';

test('the interval of a mean is that of Student’s t', () => {
  // Mean 3, deviation the root of 7, three values: 3 ± 4.303 * sqrt(7 / 3).
  expect(standardError([1, 2, 6])).toBeCloseTo(Math.sqrt(7 / 3), 12);
  expect(confidence([1, 2, 6])).toEqual([
    expect.closeTo(3 - 4.303 * Math.sqrt(7 / 3), 9),
    expect.closeTo(3 + 4.303 * Math.sqrt(7 / 3), 9),
  ]);
  expect([standardError([4]), confidence([4])]).toEqual([undefined, undefined]);
});

test('the more seeds, the narrower the quantile', () => {
  const width = (count: number) => {
    const values = Array.from({ length: count }, (_, i) => i % 2);
    return (confidence(values)![1] - confidence(values)![0]) / standardError(values)!;
  };
  expect([2, 3, 5, 10].map(width)).toEqual([25.412, 8.606, 5.552, 4.524].map((w) => expect.closeTo(w, 9)));
});

test('shares read as percent, with the interval in brackets', () => {
  expect(percentInterval([0.01, 0.02, 0.03])).toBe('2.00 [-0.48, 4.48]');
  expect(percentInterval([0.0123])).toBe('1.23');
});

test('a claim holds where its margin is above two standard errors', () => {
  const decided = (margins: readonly number[]) => decideByMargin('It is.', 'so much', margins, 'It is not.');
  expect(decided([0.02, 0.021, 0.019])).toMatchObject({
    holds: true,
    measured: 'so much; margin 2.00 [1.75, 2.25] points, 3 seeds',
  });
  // Mean 1 point, standard error 0.58 points.
  const noisy = decided([0.02, 0.01, 0]);
  expect(noisy.holds).toBe(false);
  expect(noisy.why).toBe(
    'It is met on average, but by less than two standard errors (1.15 points): 3 seeds do not decide it.',
  );
  expect(decided([-0.01, 0.005])).toMatchObject({ holds: false, why: 'It is not.' });
  const plain = decideByMargin('It is.', 'so much', [0.0123456], 'It is not.', PLAIN);
  expect(plain.measured).toBe('so much; margin 0.0123, one seed, which has no interval');
  expect(decided([0.01])).toMatchObject({
    holds: true,
    measured: 'so much; margin 1.00 points, one seed, which has no interval',
  });
});
