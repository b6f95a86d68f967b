import { expect, test } from 'vitest';
import { renderFigure } from '../report/chart.ts';
import {
  type ConditionRow,
  conditionFigure,
  conditionTable,
  differences,
  listOf,
  meanOf,
  valuesOf,
} from './conditions.ts';

const values = { plain: { low: [0.1, 0.3], high: [0.4, 0.5] }, other: { low: [0.2, 0.2] } };
/** The second seed's rows come first. */
const rows: ConditionRow[] = [1, 0].flatMap((i) =>
  Object.entries(values).flatMap(([condition, measures]) =>
    Object.entries(measures).map(([measure, own]) => ({ seed: i + 1, condition, measure, value: own[i]! })),
  ),
);

test('values are in the order of the seeds', () => {
  expect(valuesOf(rows, 'plain', 'low')).toEqual([0.1, 0.3]);
  expect(meanOf(rows, 'plain', 'high')).toBeCloseTo(0.45, 12);
  expect(listOf(rows, ['plain', 'other'], 'low')).toBe('plain 20.00%; other 20.00%');
  const above = differences(rows, ['plain', 'high'], ['plain', 'low']);
  expect(above).toEqual([expect.closeTo(0.3, 12), expect.closeTo(0.2, 12)]);
});

test('the table has a line per condition, a column per measure, and gaps', () => {
  expect(conditionTable(rows, 'error %')).toEqual({
    head: ['error %', 'low', 'high'],
    body: [
      ['plain', '20.00 ±14.14', '45.00 ±7.07'],
      ['other', '20.00 ±0.00', ''],
    ],
  });
});

test('the chart has a dot per mean, and each name once', () => {
  const svg = renderFigure(conditionFigure(rows, { label: 'error (%)' }), '0');
  expect(svg).toMatch(/^<svg/);
  for (const name of ['plain', 'other', 'low', 'high']) {
    expect(svg.match(new RegExp(`>${name}<`, 'g'))).toHaveLength(1);
  }
  // Three means, and two names in the legend.
  expect(svg.match(/<circle/g)).toHaveLength(5);
});
