import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterErrors } from './cluster-errors.ts';
import { clusteredStandardErrors } from './clustered-standard-errors.ts';
import { emptyMoments } from './empty-moments.ts';
import { MomentsError } from './errors.ts';
import { normal, single } from './exact.test.support.ts';
import { mergeAllMoments } from './merge-all-moments.ts';
import type { Moments } from './moments.ts';
import { momentsOf } from './moments-of.ts';
import { standardErrors } from './standard-errors.ts';

/** `batches` batches of `size` values; values of one batch share a random offset of this standard deviation. */
function draws(draw: () => number, batches: number, size: number, shared: number, center = 0): Moments[] {
  return Array.from({ length: batches }, () => {
    const offset = center + shared * draw();
    return momentsOf(Array.from({ length: size }, () => offset + draw()));
  });
}

/** Root mean square of numbers around their mean. */
function spread(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
}

describe('standardErrors', () => {
  test('are s / sqrt(n) and variance * sqrt(2 / (n - 1))', () => {
    const errors = standardErrors(single(9, 5, 8)); // s^2 = 9
    expect(errors.mean[0]).toBeCloseTo(1, 14);
    expect(errors.variance[0]).toBeCloseTo(4, 14);
  });

  test('are what estimates from independent normal values really spread by', () => {
    const draw = normal(1);
    const repeats = Array.from({ length: 2000 }, () => mergeAllMoments(draws(draw, 4, 16, 0)));
    const errors = standardErrors(single(64, 0, 1 - 1 / 64));
    expect(spread(repeats.map((m) => m.mean[0]!)) / errors.mean[0]!).toBeCloseTo(1, 1);
    expect(spread(repeats.map((m) => m.variance[0]!)) / errors.variance[0]!).toBeCloseTo(1, 1);
  });

  test('need two values', () => {
    expect(() => standardErrors(single(1, 0, 0))).toThrow(
      /more than one value per channel, got a count of 1/,
    );
  });
});

describe('clusteredStandardErrors', () => {
  test('of equal batches are the spread of batch means over sqrt(k)', () => {
    const batches = [single(5, 1, 2), single(5, 4, 2), single(5, 7, 2)];
    expect(clusteredStandardErrors(batches).mean[0]).toBeCloseTo(3 / Math.sqrt(3), 14);
  });

  test('weigh batches by count', () => {
    // By hand: shares 1/4 and 3/4, mu = 6, distances -3 and 1, so 2 * (9 / 16 + 9 / 16). For the variance:
    // sigma^2 = (2 + 9) / 4 + 3 (2 + 1) / 4 = 5, pulls 11 - 5 and 3 - 5, so 2 * (36 / 16 + 36 / 16).
    const errors = clusteredStandardErrors([single(1, 3, 2), single(3, 7, 2)]);
    expect(errors.mean[0]).toBeCloseTo(1.5, 14);
    expect(errors.variance[0]).toBeCloseTo(3, 14);
  });

  test('are what estimates from correlated values really spread by, where independent ones are far off', () => {
    const draw = normal(2);
    const repeats = Array.from({ length: 800 }, () => {
      const batches = draws(draw, 60, 20, 1);
      return { whole: mergeAllMoments(batches), errors: clusteredStandardErrors(batches) };
    });
    const average = (pick: (r: (typeof repeats)[number]) => number) =>
      repeats.reduce((sum, r) => sum + pick(r), 0) / repeats.length;
    for (const part of ['mean', 'variance'] as const) {
      const truth = spread(repeats.map((r) => r.whole[part][0]!));
      const claimed = average((r) => r.errors[part][0]!);
      const naive = average((r) => standardErrors(r.whole)[part][0]!);
      expect(claimed / truth).toBeGreaterThan(0.9);
      expect(claimed / truth).toBeLessThan(1.1);
      expect(naive / truth).toBeLessThan(0.5);
    }
  });

  test('need two batches with values, of the same channels', () => {
    expect(() => clusteredStandardErrors([])).toThrow(MomentsError);
    expect(() => clusteredStandardErrors([single(5, 1, 2), emptyMoments(1)])).toThrow(/at least two.*got 1/);
    expect(() => clusteredStandardErrors([single(5, 1, 2), emptyMoments(2)])).toThrow(/1 against 2/);
  });
});

describe('clusterErrors', () => {
  test.each([0, 1e4, 1e8])('streams the same errors, at mean / std = %d', (center) => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 60 }),
        fc.constantFrom(0, 0.1, 3),
        (seed, k, shared) => {
          const draw = normal(seed);
          const batches = Array.from({ length: k }, () => {
            const size = 2 + Math.floor(30 * Math.abs(draw()));
            return draws(draw, 1, size, shared, center)[0]!;
          });
          const stream = clusterErrors();
          for (const batch of batches) stream.add(batch);
          const [actual, expected] = [stream.standardErrors(), clusteredStandardErrors(batches)];
          expect(stream.clusters).toBe(k);
          for (const part of ['mean', 'variance'] as const) {
            expect(Math.abs(actual[part][0]! / expected[part][0]! - 1)).toBeLessThanOrEqual(1e-6);
          }
        },
      ),
      // Two batches whose means differ in few digits.
      { examples: [[-30, 2, 0.1]] },
    );
  });

  test('does not depend on a first batch that is small and far out', () => {
    const batches = [single(1, 40, 0), ...draws(normal(5), 500, 64, 0.05)];
    const stream = clusterErrors();
    for (const batch of batches) stream.add(batch);
    const [actual, expected] = [stream.standardErrors(), clusteredStandardErrors(batches)];
    expect(actual.mean[0]! / expected.mean[0]!).toBeCloseTo(1, 10);
    expect(actual.variance[0]! / expected.variance[0]!).toBeCloseTo(1, 10);
  });

  test('keeps channels apart, and gives 0 for a constant one', () => {
    const stream = clusterErrors();
    for (const m of [1, 4, 7]) {
      stream.add({ count: 5, mean: Float64Array.of(m, 1e8), variance: Float64Array.of(2, 0) });
    }
    const { mean, variance } = stream.standardErrors();
    expect(mean[0]).toBeCloseTo(Math.sqrt(3), 14);
    expect([mean[1], variance[1]]).toEqual([0, 0]);
  });

  test('ignores empty batches and is unchanged by bad ones', () => {
    const stream = clusterErrors();
    stream.add(single(5, 1, 2));
    stream.add(emptyMoments(1));
    expect(() => stream.standardErrors()).toThrow(/at least two/);
    stream.add(single(5, 4, 3));
    const before = stream.standardErrors();
    expect(() => stream.add(single(5, Number.NaN, 3))).toThrow(/batch 2: the mean of channel 0 is NaN/);
    expect(() => stream.add(momentsOf([1, 2], { channels: 2 }))).toThrow(/1 against 2/);
    expect(() => stream.add(single(5, 1e200, 3))).toThrow(/overflows/);
    expect(stream.standardErrors()).toEqual(before);
    expect(stream.clusters).toBe(2);
  });
});
