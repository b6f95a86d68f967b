import { expect, test } from 'vitest';
import { MEASURES } from '../leakage/grouped-runs.ts';
import { renderChart } from '../render/chart.ts';
import { resultOf } from '../testing/result-of.ts';
import { leakClassGrouped, type Row } from './leak-class-grouped.ts';

type Errors = Record<
  Row['condition'],
  [training: number, own: number, strangers: number, population: number]
>;

function rows(errors: Errors): Row[] {
  return [1, 2].flatMap((seed) =>
    (Object.keys(errors) as Row['condition'][]).flatMap((condition) =>
      MEASURES.map((measure, i) => ({
        seed,
        condition,
        measure,
        value: errors[condition][i]! + (seed - 1.5) * 0.002,
      })),
    ),
  );
}

const asInThePaper: Errors = {
  'iid batches': [0.1, 0.12, 0.12, 0.12],
  'class groups': [0.05, 0.06, 0.3, 0.4],
  'Ghost BN, strided': [0.1, 0.13, 0.13, 0.12],
  shuffled: [0.1, 0.13, 0.13, 0.13],
  SyncBN: [0.1, 0.13, 0.13, 0.13],
};
const otherwise: Errors = {
  'iid batches': [0.1, 0.12, 0.12, 0.12],
  'class groups': [0.2, 0.3, 0.29, 0.31],
  'Ghost BN, strided': [0.1, 0.13, 0.13, 0.3],
  shuffled: [0.1, 0.13, 0.13, 0.3],
  SyncBN: [0.1, 0.13, 0.13, 0.35],
};

test('the claims are decided by the rows', () => {
  const claims = leakClassGrouped.claims(rows(asInThePaper));
  expect(claims.map((c) => c.holds)).toEqual(Array(7).fill(true));
  expect(claims[0]!.measured).toBe('own groups 6.00%, population 40.00%; by seed 34.00%, 34.00% above');
  const refuted = leakClassGrouped.claims(rows(otherwise));
  expect(refuted).toHaveLength(7);
  for (const { holds, why } of refuted) {
    expect(holds).toBe(false);
    expect(why).toMatch(/\d%/);
  }
});

test('a leak has to show in every seed', () => {
  const once = rows(asInThePaper).map((row) =>
    row.seed === 2 && row.condition === 'class groups' && row.measure === 'validation, population'
      ? { ...row, value: 0.1 }
      : row,
  );
  expect(leakClassGrouped.claims(once)[0]!.holds).toBe(false);
});

test('the table has a line per condition, the chart all names', () => {
  const result = resultOf(leakClassGrouped, rows(asInThePaper));
  expect(leakClassGrouped.table(result).body[1]).toEqual([
    ...['class groups', '5.00 ±0.14', '6.00 ±0.14', '30.00 ±0.14', '40.00 ±0.14'],
  ]);
  const svg = renderChart(leakClassGrouped, result);
  for (const name of [...Object.keys(asInThePaper), ...MEASURES]) expect(svg).toContain(`>${name}<`);
});
