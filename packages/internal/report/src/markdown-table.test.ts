import { expect, test } from 'vitest';
import { markdownTable } from './markdown-table.ts';

test('numbers stand to the right, text to the left, and a bar in a cell starts no other', () => {
  const head = ['name', 'value', 'says'];
  const body = [
    ['1', '12', 'a|b'],
    ['2', '-3.5 ±0.1', 'c'],
  ];
  expect(markdownTable({ head, body })).toBe(
    '| name | value | says |\n| :-- | --: | :-- |\n| 1 | 12 | a\\|b |\n| 2 | -3.5 ±0.1 | c |',
  );
});
