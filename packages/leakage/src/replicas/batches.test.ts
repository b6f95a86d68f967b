import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundaries, cut, type PackedBatch } from './batches.ts';

test('pieces have all samples, in their order, each within one of its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 })
        .filter((all) => all.some((n) => n > 0)),
      (samples, shares) => {
        const whole = shares.reduce((sum, share) => sum + share, 0);
        const bounds = boundaries(samples, shares);
        expect(bounds).toHaveLength(shares.length + 1);
        expect([bounds[0], bounds.at(-1)]).toEqual([0, samples]);
        shares.forEach((share, at) => {
          const size = bounds[at + 1]! - bounds[at]!;
          expect(Math.abs(size - (share / whole) * samples)).toBeLessThanOrEqual(1);
          if (share === 0) expect(size).toBe(0);
        });
      },
    ),
  );
});

test('a piece has its samples of every tensor; none is nothing', () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i);
  const batch: PackedBatch = {
    samples: 4,
    xs: { list: [{ shape: [4, 3], dtype: 'float32', values }] },
    ys: { named: { y: { shape: [4], dtype: 'int32', values: Int32Array.of(5, 6, 7, 8) } } },
  };
  expect(cut(batch, 1, 3)).toEqual({
    samples: 2,
    xs: { list: [{ shape: [2, 3], dtype: 'float32', values: values.slice(3, 9) }] },
    ys: { named: { y: { shape: [2], dtype: 'int32', values: Int32Array.of(6, 7) } } },
  });
  expect(cut(batch, 2, 2)).toBeUndefined();
});
