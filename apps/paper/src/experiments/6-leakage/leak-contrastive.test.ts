import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { conditionRows } from '../../testing/condition-rows.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { leakContrastive, type Row } from './leak-contrastive.ts';

const MEASURES = [
  'mismatches, pairs together',
  'mismatches, pairs apart',
  'mismatches, population',
  'nearest neighbor, population',
] as const;
type Shares = Record<
  Row['condition'],
  [together: number, apart: number, population: number, neighbor: number]
>;

const rows = (shares: Shares): Row[] => conditionRows(shares, MEASURES);

const asInThePaper: Shares = {
  'pairs together': [0.2, 0.9, 0.8, 0.2],
  shuffled: [0.6, 0.61, 0.6, 0.1],
  SyncBN: [0.6, 0.6, 0.6, 0.1],
};
const otherwise: Shares = {
  'pairs together': [0.6, 0.7, 0.62, 0.1],
  shuffled: [0.5, 0.6, 0.6, 0.2],
  SyncBN: [0.6, 0.6, 0.61, 0.1],
};

test('the claims are decided by the rows', () => {
  const claims = leakContrastive.claims(rows(asInThePaper));
  expectAllHold(claims, 7);
  expect(claims[0]!.measured).toBe('pairs together 20.15%, apart 90.15%; by seed 70.00%, 70.00% above');
  const refuted = leakContrastive.claims(rows(otherwise));
  expectNoneHolds(refuted, 7);
});

test('the table has a line per condition, the chart all names', () => {
  const result = resultOf(leakContrastive, rows(asInThePaper));
  const { head, body } = leakContrastive.table(result);
  expect(head).toEqual(['share %', ...MEASURES]);
  expect(body[0]).toEqual(['pairs together', '20.15 ±0.07', '90.15 ±0.07', '80.15 ±0.07', '20.15 ±0.07']);
  const svg = renderChart(leakContrastive, result);
  for (const name of [...Object.keys(asInThePaper), ...MEASURES]) expect(svg).toContain(`>${name}<`);
});
