import { expect, test } from 'vitest';
import { ascending, bySeed, errorWith, rowsWith, unique } from './rows.ts';

const rows = [
  { seed: 2, kind: 'a', size: 8, error: 0.1 },
  { seed: 1, kind: 'a', size: 2, error: 0.2 },
  { seed: 2, kind: 'b', size: 8, error: 0.4 },
  { seed: 1, kind: 'a', size: 8, error: 0.6 },
];

test('values once each, as they appear or by size', () => {
  expect(unique(rows.map(({ seed }) => seed))).toEqual([2, 1]);
  expect(ascending([10, 9, 100, 9])).toEqual([9, 10, 100]);
});

test('rows by their fields, and by seed', () => {
  expect(rowsWith(rows, { kind: 'a', size: 8 }).map(({ error }) => error)).toEqual([0.1, 0.6]);
  expect(rowsWith(rows, {})).toEqual(rows);
  expect(bySeed(rows).map((own) => own.map(({ error }) => error))).toEqual([
    [0.1, 0.4],
    [0.2, 0.6],
  ]);
});

test('a mean error is of some rows', () => {
  expect(errorWith(rows, { kind: 'a', size: 8 })).toBeCloseTo(0.35, 12);
  expect(() => errorWith(rows, { kind: 'c' })).toThrow(RangeError);
});
