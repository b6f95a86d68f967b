import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blend, NO_WEIGHTS, targetShare, unpacked, withFrame } from './weights.ts';

function blendedStatistics(source: ArrayLike<number>, target: ArrayLike<number>, share: number) {
  const both = new Float64Array(source.length);
  blend(source, target, share, both);
  return unpacked(both);
}

const samples = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
const decay = fc.double({ min: 0, max: 0.999, noNaN: true });

test('sums are those of all samples, each with decay to the power of its age in frames', () => {
  fc.assert(
    fc.property(samples, decay, (frames, d) => {
      const { sum, squares } = frames.reduce((weights, count) => withFrame(weights, d, count), NO_WEIGHTS);
      const ages = frames.map((count, t) => [count, frames.length - 1 - t] as const);
      expect(sum).toBeCloseTo(
        ages.reduce((total, [count, age]) => total + count * d ** age, 0),
        9,
      );
      expect(squares).toBeCloseTo(
        ages.reduce((total, [count, age]) => total + count * d ** (2 * age), 0),
        9,
      );
    }),
  );
});

test('the effective number of samples tends to (1 + decay) / (1 - decay)', () => {
  for (const d of [0, 0.5, 0.9, 0.99]) {
    let weights = NO_WEIGHTS;
    for (let t = 0; t < 5000; t++) weights = withFrame(weights, d, 1);
    // A prior of as many samples gets half of the blend.
    expect(targetShare(weights, (1 + d) / (1 - d))).toBeCloseTo(0.5, 9);
  }
});

test('the share of the target grows with samples, shrinks with the prior, and is 0 before the first frame', () => {
  expect(targetShare(NO_WEIGHTS, 0)).toBe(0);
  expect(targetShare(withFrame(NO_WEIGHTS, 0.9, 1), 0)).toBe(1);
  fc.assert(
    fc.property(samples, decay, fc.double({ min: 0.01, max: 1e6, noNaN: true }), (frames, d, prior) => {
      const weights = frames.reduce((all, count) => withFrame(all, d, count), NO_WEIGHTS);
      const share = targetShare(weights, prior);
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
      expect(targetShare(weights, 2 * prior)).toBeLessThan(share);
    }),
  );
});

test('what does not count may be anything', () => {
  const [broken, sound] = [
    [Number.NaN, Number.POSITIVE_INFINITY],
    [3, 5],
  ];
  const expected = { mean: Float64Array.of(3), variance: Float64Array.of(5) };
  expect(blendedStatistics(broken!, sound!, 1)).toEqual(expected);
  expect(blendedStatistics(sound!, broken!, 0)).toEqual(expected);
  expect(blendedStatistics([1, 1], sound!, 0.25)).toEqual({
    mean: Float64Array.of(1.5),
    variance: Float64Array.of(2),
  });
});
