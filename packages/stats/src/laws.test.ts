// The laws of merging, against exact rational arithmetic.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyMoments } from './empty-moments.ts';
import { MomentsError } from './errors.ts';
import { errorsAgainst, exactMoments, exactUnion, normal, single } from './exact.test.support.ts';
import { mergeAllMoments } from './merge-all-moments.ts';
import { mergeMoments } from './merge-moments.ts';
import type { Moments } from './moments.ts';
import { momentsOf } from './moments-of.ts';

const WELL_CONDITIONED = 1e-12;
const ILL_CONDITIONED = 1e-6; // at mean / std = 1e8

const anyFinite = fc.double({ noNaN: true, noDefaultInfinity: true });
const tame = fc.double({ min: -1e150, max: 1e150, noNaN: true });
const anyCount = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1e9 }));

/** Moments of one channel, anywhere in float64. */
function anywhere(value: fc.Arbitrary<number>): fc.Arbitrary<Moments> {
  return fc.tuple(anyCount, value, value).map(([n, m, v]) => single(n, m, Math.abs(v)));
}

/** Cuts `values` into pieces at sorted positions; pieces may be empty. */
function split(values: readonly number[], cuts: readonly number[]): Moments[] {
  const at = [0, ...cuts.map((cut) => cut % (values.length + 1)).sort((a, b) => a - b), values.length];
  return at.slice(1).map((end, i) => momentsOf(values.slice(at[i], end)));
}

/** Merges neighbours in an order drawn from `picks`, as workers of different speed would. */
function mergeInAnyOrder(parts: readonly Moments[], picks: readonly number[]): Moments {
  const left = [...parts];
  for (let k = 0; left.length > 1; k++) {
    const i = (picks[k % picks.length] ?? 0) % (left.length - 1);
    left.splice(i, 2, mergeMoments(left[i]!, left[i + 1]!));
  }
  return left[0]!;
}

describe.each([
  ['well-conditioned', 0, WELL_CONDITIONED],
  ['well-conditioned', 10, WELL_CONDITIONED],
  ['at mean / std = 1e8', 1e8, ILL_CONDITIONED],
])('any split of the data gives the moments of the whole, %s (offset %d)', (_, offset, tolerance) => {
  const cuts = fc.array(fc.nat(), { minLength: 1, maxLength: 60 });
  const sizes = fc.integer({ min: 20, max: 400 });

  test.each(['in any order', 'all at once'])('merged %s', (how) => {
    fc.assert(
      fc.property(fc.integer(), sizes, fc.constantFrom(1e-3, 1, 1e3), cuts, (seed, size, std, at) => {
        const draw = normal(seed);
        const values = Array.from({ length: size }, () => std * (offset + draw()));
        const exact = exactMoments(values);
        const parts = split(values, at);
        const whole = how === 'all at once' ? mergeAllMoments(parts) : mergeInAnyOrder(parts, at);
        const errors = errorsAgainst(exact, whole);
        expect(whole.count).toBe(size);
        expect(errors.mean).toBeLessThanOrEqual(WELL_CONDITIONED);
        expect(errors.variance).toBeLessThanOrEqual(tolerance);
        expect(errors.meanInStds).toBeLessThanOrEqual(tolerance);
      }),
    );
  });

  test('down to single values, folded one by one', () => {
    const draw = normal(7);
    const values = Array.from({ length: 5000 }, () => offset + draw());
    const folded = values.map((value) => momentsOf([value])).reduce(mergeMoments);
    const errors = errorsAgainst(exactMoments(values), folded);
    expect(errors.variance).toBeLessThanOrEqual(tolerance);
    expect(errors.meanInStds).toBeLessThanOrEqual(tolerance);
  });
});

describe('merging', () => {
  const unit = fc.tuple(
    anyCount,
    fc.double({ min: -4, max: 4, noNaN: true }),
    fc.double({ min: 1, max: 9, noNaN: true }),
  );

  test.each([
    [0, WELL_CONDITIONED],
    [1e8, ILL_CONDITIONED],
  ])('is associative and exact for counts from 1 to 1e9 (offset %d)', (offset, tolerance) => {
    fc.assert(
      fc.property(unit, unit, unit, (...triples) => {
        const parts = triples.map(([n, m, v]) => ({ count: n, mean: offset + m, variance: v }));
        const exact = exactUnion(parts);
        const [a, b, c] = parts.map((p) => single(p.count, p.mean, p.variance)) as [
          Moments,
          Moments,
          Moments,
        ];
        const merged = [
          mergeMoments(mergeMoments(a, b), c),
          mergeMoments(a, mergeMoments(b, c)),
          mergeAllMoments([c, a, b]),
        ];
        for (const one of merged) {
          expect(one.count).toBe(exact.count);
          expect(errorsAgainst(exact, one).variance).toBeLessThanOrEqual(tolerance);
          expect(errorsAgainst(exact, one).meanInStds).toBeLessThanOrEqual(tolerance);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is commutative to the last bit, anywhere in float64', () => {
    const outcome = (a: Moments, b: Moments) => {
      try {
        return mergeMoments(a, b);
      } catch (error) {
        return (error as Error).name;
      }
    };
    fc.assert(
      fc.property(anywhere(anyFinite), anywhere(anyFinite), fc.boolean(), (a, b, tie) => {
        const other = tie ? { ...b, count: a.count } : b;
        expect(outcome(a, other)).toEqual(outcome(other, a));
      }),
      { numRuns: 1000 },
    );
  });

  test('has the empty moments as identity, and shares no memory', () => {
    fc.assert(
      fc.property(anywhere(anyFinite), (a) => {
        for (const merged of [
          mergeMoments(a, emptyMoments(1)),
          mergeMoments(emptyMoments(1), a),
          mergeAllMoments([emptyMoments(1), a]),
        ]) {
          expect(merged).toEqual(a);
          expect(merged.mean).not.toBe(a.mean);
          expect(merged.variance).not.toBe(a.variance);
        }
      }),
    );
    expect(mergeMoments(emptyMoments(2), emptyMoments(2))).toEqual(emptyMoments(2));
    expect(mergeAllMoments([emptyMoments(2)])).toEqual(emptyMoments(2));
  });

  test('all at once does not lose small means beside a large one', () => {
    const parts = [
      { count: 2, mean: 1e16, variance: 0 },
      ...Array.from({ length: 999 }, (_, i) => ({ count: 1, mean: i % 7, variance: 0.5 })),
    ];
    const merged = mergeAllMoments(parts.map((p) => single(p.count, p.mean, p.variance)));
    expect(errorsAgainst(exactUnion(parts), merged).mean).toBeLessThanOrEqual(1e-15);
  });

  test('leaves its inputs as they are', () => {
    const [a, b] = [single(2, 1, 3), single(5, 4, 1)];
    mergeMoments(a, b);
    mergeAllMoments([a, b]);
    expect([a, b]).toEqual([single(2, 1, 3), single(5, 4, 1)]);
  });
});

describe('no variance is ever negative', () => {
  const denormal = fc.integer({ min: -1e6, max: 1e6 }).map((n) => n * Number.MIN_VALUE);
  const sources: [string, fc.Arbitrary<number>][] = [
    ['up to 1e150', tame],
    ['denormals', denormal],
    ['one unit in the last place at 1e8', fc.integer({ min: -2, max: 2 }).map((n) => 1e8 + n * 2 ** -26)],
  ];

  test.each(sources)('of values: %s', (_, value) => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), (values) => {
        expect(momentsOf(values).variance[0]).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test.each(sources)('of merged moments: %s', (_, value) => {
    fc.assert(
      fc.property(fc.array(anywhere(value), { minLength: 1, maxLength: 12 }), (parts) => {
        expect(parts.reduce(mergeMoments).variance[0]).toBeGreaterThanOrEqual(0);
        expect(mergeAllMoments(parts).variance[0]).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test('and a constant channel keeps its value and variance 0 exactly', () => {
    const pieces = fc.array(anyCount, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(tame, fc.integer({ min: 1, max: 50 }), pieces, (value, size, counts) => {
        const constant = (moments: Moments) => {
          expect(moments.mean[0]! === value).toBe(true);
          expect(moments.variance[0]).toBe(0);
        };
        constant(momentsOf(new Array<number>(size).fill(value)));
        const parts = counts.map((count) => single(count, value, 0));
        constant(parts.reduce(mergeMoments));
        constant(mergeAllMoments(parts));
      }),
    );
  });

  test('and what overflows float64 is an error, not an Infinity', () => {
    expect(() => momentsOf([1e200, -1e200])).toThrow(MomentsError);
    expect(() => mergeMoments(single(1, 1e200, 0), single(1, -1e200, 0))).toThrow(/too large for float64/);
    expect(() => mergeAllMoments([single(1, 1e200, 0), single(1, -1e200, 0)])).toThrow(
      /too large for float64/,
    );
  });
});
