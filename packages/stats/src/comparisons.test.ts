// Bessel both ways, divergences, shifts, relative errors and sample sizes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { biasedVariance } from './biased-variance.ts';
import { checkMeanAndVariance } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import { normal, single } from './exact.test.support.ts';
import type { Moments } from './moments.ts';
import { momentsOf } from './moments-of.ts';
import { normalizedShift } from './normalized-shift.ts';
import { relativeErrors } from './relative-errors.ts';
import { samplesForTolerance } from './samples-for-tolerance.ts';
import { standardErrors } from './standard-errors.ts';
import { symmetricKL } from './symmetric-kl.ts';
import { unbiasedVariance } from './unbiased-variance.ts';

const ordinary = fc
  .tuple(
    fc.integer({ min: 2, max: 1e9 }),
    fc.double({ min: -10, max: 10, noNaN: true }),
    fc.double({ min: 0.01, max: 10, noNaN: true }),
  )
  .map(([n, m, v]) => single(n, m, v));

describe("Bessel's correction", () => {
  test('multiplies by n / (n - 1), and back', () => {
    expect(unbiasedVariance(single(5, 0, 8))).toEqual(Float64Array.of(10));
    expect(biasedVariance([10], 5)).toEqual(Float64Array.of(8));
    fc.assert(
      fc.property(ordinary, (m) => {
        expect(biasedVariance(unbiasedVariance(m), m.count)[0]! / m.variance[0]!).toBeCloseTo(1, 14);
      }),
    );
  });

  test('does not exist for one value', () => {
    for (const count of [0, 1]) {
      expect(() => unbiasedVariance(single(count, 0, 0))).toThrow(`got a count of ${count}`);
      expect(() => biasedVariance([1], count)).toThrow(MomentsError);
    }
    expect(() => biasedVariance([1, -1], 5)).toThrow(/channel 1 is -1/);
    expect(() => biasedVariance([1], Number.NaN)).toThrow(MomentsError);
  });
});

describe('symmetricKL', () => {
  test('is the integral of the difference of densities times their log ratio', () => {
    const density = (x: number, m: number, v: number) =>
      Math.exp(-((x - m) ** 2) / (2 * v)) / Math.sqrt(2 * Math.PI * v);
    const step = 1e-3;
    let integral = 0;
    for (let x = -15; x < 15; x += step) {
      const [p, q] = [density(x, 0.5, 1.5), density(x, -0.25, 0.75)];
      integral += (p - q) * Math.log(p / q) * step;
    }
    expect(symmetricKL(single(9, 0.5, 1.5), single(9, -0.25, 0.75))[0]).toBeCloseTo(integral, 8);
  });

  test('is 0 for equal moments, and otherwise positive and symmetric to the last bit', () => {
    fc.assert(
      fc.property(ordinary, ordinary, (a, b) => {
        expect(symmetricKL(a, a)[0]).toBe(0);
        expect(symmetricKL(a, b)).toEqual(symmetricKL(b, a));
        expect(symmetricKL(a, b)[0]).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('keeps its digits for nearly equal moments', () => {
    // To second order, a relative change r of the variance alone gives r^2 / 2.
    expect(symmetricKL(single(9, 3, 1), single(9, 3, 1 + 1e-9))[0]! / 5e-19).toBeCloseTo(1, 5);
  });

  test('counts variances below epsilon as epsilon', () => {
    expect(symmetricKL(single(9, 3, 0), single(9, 3, 0))[0]).toBe(0);
    expect(symmetricKL(single(9, 3, 0), single(9, 4, 0), { epsilon: 0.5 })[0]).toBeCloseTo(2, 14);
    expect(() => symmetricKL(single(9, 3, 0), single(9, 4, 0), { epsilon: 0 })).toThrow(/epsilon .* got 0/);
    expect(() => symmetricKL(single(9, 3, 0), momentsOf([1, 2], { channels: 2 }))).toThrow(/1 against 2/);
  });
});

describe('normalizedShift', () => {
  test('is the step of the mean in standard deviations and the log ratio of variances', () => {
    const shift = normalizedShift(single(9, 1, 4), single(9, 4, 2));
    expect(shift.mean[0]).toBeCloseTo(1.5, 14);
    expect(shift.variance[0]).toBeCloseTo(Math.log(0.5), 14);
  });

  test('is 0 for equal moments, constant channels included', () => {
    const constant = { count: 4, mean: Float64Array.of(2, 3), variance: Float64Array.of(1, 0) };
    expect(normalizedShift(constant, constant)).toEqual({
      mean: new Float64Array(2),
      variance: new Float64Array(2),
    });
    expect(normalizedShift(single(9, 1, 0), single(9, 2, 1), { epsilon: 0.25 })).toEqual({
      mean: Float64Array.of(2),
      variance: Float64Array.of(Math.log(4)),
    });
  });

  test('is finite for the extremes of float64', () => {
    const { mean, variance } = normalizedShift(single(9, 0, 0), single(9, 1, 1e308));
    expect(mean[0]).toBeCloseTo(1e6, 6);
    expect(variance[0]).toBeCloseTo(Math.log(1e308) - Math.log(1e-12), 10);
  });
});

describe('mean and variance without a count', () => {
  const plain = ({ mean, variance }: Moments) => ({ mean, variance });

  test('compare as moments do', () => {
    fc.assert(
      fc.property(ordinary, ordinary, (a, b) => {
        expect(symmetricKL(plain(a), plain(b))).toEqual(symmetricKL(a, b));
        expect(normalizedShift(plain(a), b)).toEqual(normalizedShift(a, b));
        const errors = standardErrors(a);
        expect(relativeErrors(errors, plain(b))).toEqual(relativeErrors(errors, b));
      }),
    );
  });

  test('are refused where they are not usable, whatever their count', () => {
    const good = plain(single(1, 0, 1));
    const bad: [unknown, RegExp][] = [
      [{ ...good, variance: Float64Array.of(-1) }, /the variance of channel 0 is -1/],
      [{ ...good, mean: Float64Array.of(Number.NaN) }, /the mean of channel 0 is NaN/],
      [{ ...good, mean: new Float64Array(2) }, /2 means and 1 variances/],
      [{ ...good, mean: [0] }, /expected \{mean: Float64Array, variance: Float64Array\}, got mean: \[0\]/],
      [undefined, /got mean: undefined/],
    ];
    for (const [statistics, message] of bad) {
      for (const attempt of [
        () => checkMeanAndVariance(statistics as never),
        () => symmetricKL(good, statistics as never),
        () => normalizedShift(statistics as never, good),
        () => relativeErrors(good, statistics as never),
      ]) {
        expect(attempt).toThrow(MomentsError);
        expect(attempt).toThrow(message);
      }
    }
    expect(checkMeanAndVariance(good)).toBe(good);
    // Moments of any count have a mean and a variance.
    const uncounted = { ...good, count: Number.NaN };
    expect(checkMeanAndVariance(uncounted)).toBe(uncounted);
  });
});

describe('samplesForTolerance', () => {
  test('follows 1 / sqrt(n): half the error takes four times the samples', () => {
    const errors = { mean: Float64Array.of(0.25, 0), variance: Float64Array.of(0.125, 0.5) };
    expect(samplesForTolerance(errors, 100, 0.25)).toBe(400);
    expect(samplesForTolerance(errors, 100, 1)).toBe(25);
    expect(samplesForTolerance({ mean: Float64Array.of(0), variance: Float64Array.of(0) }, 100, 0.1)).toBe(1);
  });

  test('with relativeErrors: as many samples as it says do reach the tolerance, no matter the scale', () => {
    for (const scale of [1e-4, 1, 1e4]) {
      const draw = normal(3);
      const sample = (n: number) => momentsOf(Array.from({ length: n }, () => scale * (3 + draw())));
      const pilot = sample(500);
      const needed = samplesForTolerance(relativeErrors(standardErrors(pilot), pilot), pilot.count, 0.02);
      expect(needed).toBeGreaterThan(4500); // 2 / 0.02^2 = 5000, for the variance
      expect(needed).toBeLessThan(5500);
      const enough = sample(needed);
      const { mean, variance } = relativeErrors(standardErrors(enough), enough);
      expect(Math.max(mean[0]!, variance[0]!)).toBeCloseTo(0.02, 3);
    }
  });

  test('refuses what is no error, sample size or tolerance', () => {
    const errors = { mean: Float64Array.of(1), variance: Float64Array.of(1) };
    expect(() => samplesForTolerance(errors, 0, 0.1)).toThrow(
      /expected samples to be a finite number > 0, got 0/,
    );
    expect(() => samplesForTolerance(errors, 10, Number.NaN)).toThrow(/expected tolerance to be .* got NaN/);
    const bad = { ...errors, variance: Float64Array.of(Number.NaN) };
    expect(() => samplesForTolerance(bad, 10, 0.1)).toThrow(/variance of channel 0 is NaN/);
  });
});

describe('relativeErrors', () => {
  test('divide by the standard deviation and the variance, not below epsilon', () => {
    const moments = { count: 4, mean: Float64Array.of(7, 7), variance: Float64Array.of(4, 0) };
    const errors = { mean: Float64Array.of(1, 0), variance: Float64Array.of(1, 0) };
    expect(relativeErrors(errors, moments)).toEqual({
      mean: Float64Array.of(0.5, 0),
      variance: Float64Array.of(0.25, 0),
    });
    expect(() => relativeErrors(errors, single(1, 1, 1))).toThrow(/1 channels, the errors 2/);
  });
});
