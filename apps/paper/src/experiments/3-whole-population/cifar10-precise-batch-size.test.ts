import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10PreciseBatchSize, type Row } from './cifar10-precise-batch-size.ts';

/** Batches of 2 and of 256: in mode 'batch' the errors, and those of four layers' variances; layerwise is off by `exact`. */
function rows(errors: readonly [number, number], variances: readonly number[], exact: number): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    ([2, 256] as const).flatMap((batch, i) =>
      (['batch', 'layerwise'] as const).map((mode) => ({
        ...{ seed, mode, batch },
        error: (mode === 'batch' ? errors[i]! : errors[1]) + 0.001 * seed,
        varianceErrors: variances.map((value) => (mode === 'batch' ? value / (i + 1) : exact)),
        meanErrors: variances.map(() => exact),
      })),
    ),
  );
}

const asInThePaper = rows([0.4, 0.3], [0.01, 0.05, 0.1, 0.2], 1e-5);

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10PreciseBatchSize.claims(asInThePaper), 3);
  expectNoneHolds(
    cifar10PreciseBatchSize.claims(rows([0.302, 0.3], [0.1, 0.1, 0.11, 0.11], 0.01)),
    3,
    /\d%|times|1\.0e-2/,
  );
});

test('the chart shows the errors, and how they grow with depth', () => {
  const result = resultOf(cifar10PreciseBatchSize, asInThePaper);
  expect(cifar10PreciseBatchSize.table(result).head.slice(1)).toEqual(['mode batch', 'mode layerwise']);
  const [, depth] = cifar10PreciseBatchSize.figures(asInThePaper);
  expect(depth).toMatchObject({ kind: 'series', names: ['batches of 2'] });
  expect(renderChart(cifar10PreciseBatchSize, result)).toContain('batches of 2');
});
