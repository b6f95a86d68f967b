import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10FrozenLastEpochs, type Row } from './cifar10-frozen-last-epochs.ts';

/** By normalization batch: without and with a frozen last fifth. */
function rows(errors: Record<number, readonly [number, number]>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([size, values]) =>
      (['mini-batch', 'frozen'] as const).map((lastFifth, i) => ({
        ...{ seed, normalizationBatch: Number(size), lastFifth },
        error: values[i]! + 0.001 * seed,
      })),
    ),
  );
}

const asInThePaper = rows({ 2: [0.5, 0.45], 128: [0.3, 0.305] });

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10FrozenLastEpochs.claims(asInThePaper), 3);
  expectNoneHolds(cifar10FrozenLastEpochs.claims(rows({ 2: [0.5, 0.55], 128: [0.3, 0.33] })).slice(0, 1), 1);
  const harmful = cifar10FrozenLastEpochs.claims(rows({ 2: [0.5, 0.6], 128: [0.3, 0.33] }));
  expectNoneHolds(harmful, 3);
});

test('the table and the chart show both endings', () => {
  const result = resultOf(cifar10FrozenLastEpochs, asInThePaper);
  expect(cifar10FrozenLastEpochs.table(result).head.slice(1)).toEqual(['not frozen', 'last fifth frozen']);
  expect(renderChart(cifar10FrozenLastEpochs, result)).toContain('last fifth frozen');
});
