import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10PreciseSamples, type Row } from './cifar10-precise-samples.ts';

/** Two draws of each number of samples, around its error; seeds differ in what all of them have. */
function rows(errors: Record<number, number>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([samples, error]) =>
      [0, 1].map((draw) => ({
        ...{ seed, draw, samples: Number(samples) },
        error: error + 0.01 * seed + 0.001 * (draw - 0.5),
      })),
    ),
  );
}

const asInThePaper = rows({ 10: 0.3, 100: 0.18, 1000: 0.161, 10000: 0.16 });

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10PreciseSamples.claims(asInThePaper), 2);
  expectNoneHolds(cifar10PreciseSamples.claims(rows({ 10: 0.161, 1000: 0.163, 10000: 0.16 })), 2);
});

test('the table and the chart average over the draws', () => {
  const result = resultOf(cifar10PreciseSamples, asInThePaper);
  expect(cifar10PreciseSamples.table(result).body[0]).toEqual(['10', '32.00 [29.52, 34.48]']);
  expect(renderChart(cifar10PreciseSamples, result)).toContain('PreciseBN');
});
