import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { preciseBatchSize, type Row } from './precise-batch-size.ts';

/** Per batch size: the error and the errors of four layers in mode 'batch'; layerwise is off by `layerwise`. */
function rows(batch: Record<number, [number, number[]]>, layerwise: number): Row[] {
  return Object.entries(batch).flatMap(([size, [error, varianceErrors]]) => [
    { seed: 1, mode: 'batch', batch: Number(size), error, varianceErrors, meanErrors: varianceErrors },
    {
      seed: 1,
      mode: 'layerwise',
      batch: Number(size),
      error: 0.03 + layerwise / Number(size),
      varianceErrors: [0, 0, 0, layerwise],
      meanErrors: [0, 0, 0, 0],
    },
  ]);
}

const asInThePaper = rows({ 2: [0.06, [0, 0.1, 0.4, 0.8]], 512: [0.03, [0, 0, 0, 0.01]] }, 1e-7);

test('the claims are decided by the rows', () => {
  const claims = preciseBatchSize.claims(asInThePaper);
  expectAllHold(claims, 4);
  expect(claims[0]!.measured).toContain('0.000, 0.100, 0.400, 0.800');
  const otherwise = rows({ 2: [0.03, [0.1, 0.1, 0.1, 0.1]], 512: [0.03, [0, 0, 0, 0.1]] }, 0.1);
  expectNoneHolds(preciseBatchSize.claims(otherwise), 4, /\d/);
});

test('the chart has both panels', () => {
  const chart = renderChart(preciseBatchSize, resultOf(preciseBatchSize, asInThePaper));
  expect(chart).toContain('mode layerwise');
  expect(chart).toContain('batches of 512');
});
