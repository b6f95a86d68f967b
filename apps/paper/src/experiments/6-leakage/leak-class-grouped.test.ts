import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { conditionRows } from '../../testing/condition-rows.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { MEASURES } from './grouped-runs.ts';
import { leakClassGrouped, type Row } from './leak-class-grouped.ts';

type Errors = Record<
  Row['condition'],
  [training: number, own: number, strangers: number, population: number]
>;

const rows = (errors: Errors): Row[] =>
  conditionRows(errors, MEASURES, (error, seed) => error + (seed - 1.5) * 0.002);

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
  expectAllHold(claims, 7);
  expect(claims[0]!.measured).toBe('own groups 6.00%, population 40.00%; by seed 34.00%, 34.00% above');
  const refuted = leakClassGrouped.claims(rows(otherwise));
  expectNoneHolds(refuted, 7);
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
