import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10EmaVsPrecise, type Row } from './cifar10-ema-vs-precise.ts';

/** Errors at three points of training, by method. */
function rows(errors: Record<string, readonly [number, number, number]>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([method, path]) =>
      path.map((error, i) => ({ seed, method, step: 10 * (i + 1), error: error + 0.001 * seed })),
    ),
  );
}

const asInThePaper = rows({
  'EMA 0.9': [0.8, 0.4, 0.6],
  'EMA 0.99': [0.9, 0.5, 0.8],
  'PreciseBN, 100 samples': [0.52, 0.42, 0.36],
  'PreciseBN, 1000 samples': [0.501, 0.401, 0.351],
  'PreciseBN, 5000 samples': [0.5, 0.4, 0.35],
  layerwise: [0.5, 0.4, 0.35],
  'mini-batch': [0.51, 0.41, 0.36],
});

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10EmaVsPrecise.claims(asInThePaper), 4);
  const otherwise = rows({
    'EMA 0.9': [0.4, 0.39, 0.38],
    'PreciseBN, 1000 samples': [0.6, 0.5, 0.45],
    'PreciseBN, 5000 samples': [0.5, 0.4, 0.35],
    layerwise: [0.55, 0.45, 0.4],
  });
  expectNoneHolds(cifar10EmaVsPrecise.claims(otherwise), 4);
});

test('the table has a line per point, the chart a line per method', () => {
  const result = resultOf(cifar10EmaVsPrecise, asInThePaper);
  expect(cifar10EmaVsPrecise.table(result).body.map(([step]) => step)).toEqual(['10', '20', '30']);
  expect(renderChart(cifar10EmaVsPrecise, result)).toContain('layerwise');
});
