import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitSymbols } from './split.ts';

test('every symbol is on one side, and each category has its share on both', () => {
  const labels = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(labels, fc.integer(), fc.constantFrom(0.2, 0.25, 0.5), (all, seed, share) => {
      const { train, test } = splitSymbols(all, share, seed);
      expect([...train, ...test].sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
      for (const category of new Set(all)) {
        const count = (indices: readonly number[]) => indices.filter((i) => all[i] === category).length;
        expect(count(test)).toBe(Math.round(share * (count(test) + count(train))));
      }
    }),
  );
});

test('a seed is a split', () => {
  const labels = Array.from({ length: 100 }, (_, i) => i % 3);
  expect(splitSymbols(labels, 0.25, 1)).toEqual(splitSymbols(labels, 0.25, 1));
  expect(splitSymbols(labels, 0.25, 1)).not.toEqual(splitSymbols(labels, 0.25, 2));
});
