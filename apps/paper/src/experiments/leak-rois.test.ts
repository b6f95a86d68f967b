import { expect, test } from 'vitest';
import { MEASURES } from '../leakage/grouped-runs.ts';
import { renderChart } from '../render/chart.ts';
import { resultOf } from '../testing/result-of.ts';
import { leakRois, type Row } from './leak-rois.ts';

type Errors = Record<
  Row['condition'],
  [training: number, own: number, strangers: number, population: number]
>;

const rows = (errors: Errors): Row[] =>
  [1, 2].flatMap((seed) =>
    (Object.keys(errors) as Row['condition'][]).flatMap((condition) =>
      errors[condition].map((error, i) => ({
        ...{ seed, condition, measure: MEASURES[i]! },
        value: error + seed * 0.001,
      })),
    ),
  );

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
  expect(claims.map((c) => c.holds)).toEqual(Array(6).fill(true));
  expect(claims[2]!.measured).toBe(
    'population per image 45.15%; Ghost BN, strided 30.15%; by seed 15.00%, 15.00% lower',
  );
  const refuted = leakRois.claims(rows(otherwise));
  expect(refuted).toHaveLength(6);
  for (const { holds, why } of refuted) {
    expect(holds).toBe(false);
    expect(why).toMatch(/\d%/);
  }
});

test('the table has a line per condition, the chart all names', () => {
  const result = resultOf(leakRois, rows(asInThePaper));
  expect(leakRois.table(result).body.map((line) => line[0])).toEqual(Object.keys(asInThePaper));
  const svg = renderChart(leakRois, result);
  for (const name of [...Object.keys(asInThePaper), ...MEASURES]) expect(svg).toContain(`>${name}<`);
});
