// How exact these moments are, beyond what the conformance suite asks of every backend.
import { kernelView } from '@rebatch/core/kernels';
import { type Layout, referenceMoments, seededRandom } from '@rebatch/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { momentsOf } from './moments.ts';

const layouts: fc.Arbitrary<Layout> = fc
  .record({
    rows: fc.integer({ min: 1, max: 200 }),
    channels: fc.integer({ min: 1, max: 40 }),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 50 })),
    groups: fc.integer({ min: 1, max: 3 }),
  })
  .filter(({ rows, channels, inner, groups }) => rows * channels * inner * groups < 50_000)
  .map(({ rows, channels, inner, groups }) => ({ outer: rows * groups, channels, inner, groups }));

const sizeOf = ({ outer, channels, inner }: Layout) => outer * channels * inner;
const moments = (x: Float32Array, layout: Layout) => {
  const view = kernelView(layout, undefined, 'test');
  return momentsOf(x, { ...view, ids: undefined });
};

describe('moments on the cpu backend', () => {
  it('are those of a float64 loop, rounded to float32', () => {
    const values = fc.record({
      seed: fc.nat(),
      mean: fc.constantFrom(0, -3, 1e4, -1e6),
      outlier: fc.constantFrom(0, 1e6),
    });
    fc.assert(
      fc.property(layouts, values, (layout, { seed, mean, outlier }) => {
        const random = seededRandom(seed);
        const x = random.normals(sizeOf(layout), mean, 1);
        x[random.integer(0, x.length - 1)]! += outlier;
        const packed = moments(x, layout);
        const expected = referenceMoments(x, layout);
        const both = [...expected.mean, ...expected.variance];
        for (const [i, value] of both.entries()) {
          // Half a unit in the last place of float32 is 6e-8. Far below the deviation a mean has fewer digits left.
          const deviation = Math.sqrt(expected.variance[i % expected.mean.length]!);
          const scale = i < expected.mean.length ? Math.max(Math.abs(value), 1e-3 * deviation) : value;
          expect(Math.abs(packed[i]! - value)).toBeLessThanOrEqual(6e-8 * scale);
        }
      }),
    );
  });

  it.each([1, 40])('of a constant channel are the constant and exactly 0 (inner = %i)', (inner) => {
    const x = new Float32Array(300 * inner).fill(1234.567);
    const packed = moments(x, { outer: 100, channels: 3, inner, groups: 1 });
    expect([...packed]).toEqual([...new Array(3).fill(Math.fround(1234.567)), 0, 0, 0]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'let %d surface in its own channel alone, wherever it is',
    (bad) => {
      for (const channels of [3, 6]) {
        for (const inner of [1, 7]) {
          for (const row of [0, 35, 70]) {
            const x = seededRandom(row).normals(71 * channels * inner);
            x[(row * channels + 1) * inner + inner - 1] = bad;
            const packed = moments(x, { outer: 71, channels, inner, groups: 1 });
            const spoiled = [...packed].flatMap((value, i) => (Number.isFinite(value) ? [] : [i]));
            expect(spoiled).toEqual([1, channels + 1]);
          }
        }
      }
    },
  );
});
