import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { frozenLastEpochs, type Row } from './frozen-last-epochs.ts';

/** Per normalization batch: without and with a frozen last fifth. */
function rows(errors: Record<number, [number, number]>): Row[] {
  return Object.entries(errors).flatMap(([size, values]) =>
    (['mini-batch', 'frozen'] as const).map((lastFifth, i) => ({
      seed: 1,
      normalizationBatch: Number(size),
      lastFifth,
      error: values[i]!,
    })),
  );
}

const asInThePaper = rows({ 2: [0.1, 0.08], 4: [0.06, 0.05], 64: [0.03, 0.031], 256: [0.02, 0.02] });

test('the claims are decided by the rows', () => {
  const claims = frozenLastEpochs.claims(asInThePaper);
  expectAllHold(claims, 3);
  expect(claims[0]!.measured).toContain('2: 10.00% to 8.00%');
  const otherwise = rows({ 2: [0.1, 0.09], 4: [0.05, 0.06], 64: [0.03, 0.05], 256: [0.03, 0.01] });
  expectNoneHolds(frozenLastEpochs.claims(otherwise), 3);
});

test('the table and the chart show both endings', () => {
  const result = resultOf(frozenLastEpochs, asInThePaper);
  expect(frozenLastEpochs.table(result).head.slice(1)).toEqual(['not frozen', 'last fifth frozen']);
  expect(renderChart(frozenLastEpochs, result)).toContain('last fifth frozen');
});
