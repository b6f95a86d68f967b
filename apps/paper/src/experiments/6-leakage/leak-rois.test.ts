import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { conditionRows } from '../../testing/condition-rows.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { MEASURES } from './grouped-runs.ts';
import { leakRois, type Row } from './leak-rois.ts';

type Errors = Record<
  Row['condition'],
  [training: number, own: number, strangers: number, population: number]
>;

const rows = (errors: Errors): Row[] => conditionRows(errors, MEASURES);

const asInThePaper: Errors = {
  'per image': [0.3, 0.3, 0.4, 0.45],
  'Ghost BN, strided': [0.3, 0.3, 0.3, 0.3],
  shuffled: [0.3, 0.3, 0.3, 0.305],
  SyncBN: [0.3, 0.3, 0.3, 0.3],
};
const otherwise: Errors = {
  'per image': [0.3, 0.3, 0.32, 0.31],
  'Ghost BN, strided': [0.3, 0.3, 0.3, 0.3],
  shuffled: [0.3, 0.3, 0.3, 0.32],
  SyncBN: [0.3, 0.3, 0.3, 0.3],
};

test('the claims are decided by the rows', () => {
  const claims = leakRois.claims(rows(asInThePaper));
  expectAllHold(claims, 6);
  expect(claims[2]!.measured).toBe(
    'population per image 45.15%; Ghost BN, strided 30.15%; by seed 15.00%, 15.00% lower',
  );
  const refuted = leakRois.claims(rows(otherwise));
  expectNoneHolds(refuted, 6);
});

test('the table has a line per condition, the chart all names', () => {
  const result = resultOf(leakRois, rows(asInThePaper));
  expect(leakRois.table(result).body.map((line) => line[0])).toEqual(Object.keys(asInThePaper));
  const svg = renderChart(leakRois, result);
  for (const name of [...Object.keys(asInThePaper), ...MEASURES]) expect(svg).toContain(`>${name}<`);
});
