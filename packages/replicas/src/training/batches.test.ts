import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundaries, readBatches } from './batches.ts';

test('shards have all samples, in their order, each within one of its share', () => {
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

test.each([
  [5, '5'],
  [{ xs: 1, ys: 2 }, 'an object with xs, ys'],
])('%j is no data', async (data, came) => {
  await expect(readBatches(data as never).next()).rejects.toThrow(
    `{xs, ys}, got ${came}. Put a single batch`,
  );
});
