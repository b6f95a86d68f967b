import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MomentsError, matchMoments, momentsOf } from './index.ts';

const column = (values: readonly number[]) => momentsOf(values);
const normal = fc.double({ min: -50, max: 50, noNaN: true });
const sample = fc.array(normal, { minLength: 3, maxLength: 12 }).filter((all) => new Set(all).size > 1);

test('by hand', () => {
  // sd 1 on the reference, 2 on the target; the site was 1 off on the reference, and is 2 off on the target.
  const { mean, variance, count } = matchMoments(
    { mean: [4], variance: [3], epsilon: 1 },
    { count: 7, mean: Float64Array.of(5), variance: Float64Array.of(0) },
    { count: 9, mean: Float64Array.of(20), variance: Float64Array.of(3) },
  );
  expect([mean[0], variance[0], count]).toEqual([20 - 2, 4 * 4 - 1, 9]);
});

test("the target's values land where the reference's did", () => {
  fc.assert(
    fc.property(
      sample,
      sample,
      normal,
      fc.double({ min: 0, max: 9, noNaN: true }),
      fc.constantFrom(0, 1e-3, 0.5),
      (of, to, mean, variance, epsilon) => {
        const stored = { mean: [mean], variance: [variance + 1e-3], epsilon };
        const [reference, target] = [column(of), column(to)];
        fc.pre(reference.variance[0]! > 1e-3 && target.variance[0]! > 1e-3);
        const matched = matchMoments(stored, reference, target);
        fc.pre(matched.variance[0]! > 0);
        const out = (values: readonly number[], m: number, v: number) =>
          column(values.map((value) => (value - m) / Math.sqrt(v + epsilon)));
        const expected = out(of, mean, variance + 1e-3);
        const got = out(to, matched.mean[0]!, matched.variance[0]!);
        // A site without epsilon counts a millionth of the reference's variance instead.
        const slack = epsilon === 0 ? (1e-6 * reference.variance[0]!) / target.variance[0]! : 0;
        expect(Math.abs(got.mean[0]! - expected.mean[0]!)).toBeLessThanOrEqual(
          (slack + 1e-6) * (1 + Math.abs(expected.mean[0]!)),
        );
        // Deviations are alike as the site sees them, with its epsilon in each variance.
        const seen = (v: number, own: number) => (v + epsilon) / (own + epsilon);
        const ratio =
          seen(target.variance[0]!, matched.variance[0]!) / seen(reference.variance[0]!, variance + 1e-3);
        expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(1.01 * slack + 1e-6);
      },
    ),
  );
});

test('statistics of the reference become those of the target, and the same inputs change nothing', () => {
  fc.assert(
    fc.property(sample, sample, fc.constantFrom(0, 1e-3), (of, to, epsilon) => {
      const [reference, target] = [column(of), column(to)];
      fc.pre(reference.variance[0]! > 1e-2 && target.variance[0]! > 1e-2);
      const own = { mean: reference.mean, variance: reference.variance, epsilon };
      const matched = matchMoments(own, reference, target);
      expect(matched.mean[0]).toBeCloseTo(target.mean[0]!, 9);
      // A site without epsilon counts a millionth of the reference's variance instead, in both.
      const [from, toward] = [reference.variance[0]!, target.variance[0]!];
      const expected = epsilon === 0 ? (toward + 1e-6 * from) / (1 + 1e-6) : toward;
      expect(Math.abs(matched.variance[0]! / expected - 1)).toBeLessThanOrEqual(1e-9);
      const still = matchMoments({ mean: [7], variance: [2], epsilon }, reference, reference);
      expect([still.mean[0], still.variance[0]]).toEqual([expect.closeTo(7, 12), expect.closeTo(2, 12)]);
    }),
  );
});

test('constant channels give finite statistics', () => {
  const flat = column([3, 3, 3]);
  const wide = column([1, 2, 9]);
  for (const epsilon of [0, 1e-3]) {
    for (const [reference, target] of [
      [flat, wide],
      [wide, flat],
      [flat, flat],
    ] as const) {
      const { mean, variance } = matchMoments({ mean: [0], variance: [1], epsilon }, reference, target);
      expect(Number.isFinite(mean[0])).toBe(true);
      expect(variance[0]).toBeGreaterThanOrEqual(0);
    }
  }
});

test('what does not fit is refused', () => {
  const two = { count: 1, mean: Float64Array.of(1, 2), variance: Float64Array.of(1, 1) };
  const one = column([1, 2]);
  const stored = { mean: [0], variance: [1], epsilon: 0 };
  expect(() => matchMoments(stored, one, two)).toThrow(MomentsError);
  expect(() => matchMoments(stored, two, two)).toThrow('stored statistics for 2 channels, got 1 means');
  expect(() => matchMoments(stored, { ...one, mean: Float64Array.of(Number.NaN) }, one)).toThrow('reference');
});
