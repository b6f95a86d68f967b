import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { cifar10NbsSweep } from './cifar10-nbs-sweep.ts';
import { MEASURES, type Row } from './claims.ts';

type Errors = Record<number, readonly [number, number, number]>;

/** By regime and normalization batch: training, validation under mini-batch and under population statistics. */
function rows(all: Errors, few: Errors): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries({ 'all photographs': all, 'few photographs': few }).flatMap(([regime, errors]) =>
      Object.entries(errors).flatMap(([size, values]) =>
        MEASURES.map((measure, i) => ({
          ...{ seed, regime: regime as Row['regime'], normalizationBatch: Number(size), measure },
          error: values[i]! + 0.001 * seed,
        })),
      ),
    ),
  );
}

const asInThePaper = rows(
  { 2: [0.5, 0.52, 0.48], 256: [0.3, 0.32, 0.32] },
  { 2: [0.3, 0.6, 0.65], 256: [0.05, 0.5, 0.5] },
);

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10NbsSweep.claims(asInThePaper), 7);
  const otherwise = rows(
    { 2: [0.3, 0.33, 0.34], 256: [0.3, 0.32, 0.36] },
    { 2: [0.5, 0.66, 0.65], 256: [0.45, 0.5, 0.5] },
  );
  expectNoneHolds(cifar10NbsSweep.claims(otherwise), 7);
});

test('the table has both regimes, the chart a part for each', () => {
  const result = resultOf(cifar10NbsSweep, asInThePaper);
  const { head, body } = cifar10NbsSweep.table(result);
  expect(head).toEqual(['error %', 'normalization batch', ...MEASURES]);
  expect(body.map((line) => line.slice(0, 2))).toEqual([
    ['all photographs', '2'],
    ['all photographs', '256'],
    ['few photographs', '2'],
    ['few photographs', '256'],
  ]);
  expect(renderChart(cifar10NbsSweep, result)).toContain('few photographs');
});
