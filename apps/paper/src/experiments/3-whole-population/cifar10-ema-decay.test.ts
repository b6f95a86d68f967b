import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { cifar10EmaDecay, type Row } from './cifar10-ema-decay.ts';

/** By learning rate: the errors of the decays 0.5, 0.9 and 0.999, and of PreciseBN. */
function rows(errors: Record<number, readonly [number, number, number, number]>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([rate, values]) =>
      [0.5, 0.9, 0.999, null].map((decay, i) => ({
        ...{ seed, rate: Number(rate), decay },
        error: values[i]! + 0.001 * seed,
      })),
    ),
  );
}

const asInThePaper = rows({ 0.1: [0.4, 0.42, 0.6, 0.39], 0.001: [0.35, 0.3, 0.31, 0.3] });

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10EmaDecay.claims(asInThePaper), 4);
  const otherwise = rows({ 0.1: [0.4, 0.4, 0.4, 0.5], 0.001: [0.3, 0.3, 0.32, 0.3] });
  const claims = cifar10EmaDecay.claims(otherwise);
  expectNoneHolds(claims, 4, /\d%| at /);
  expect(claims[3]!.why).toContain('0.5 at 0.1');
});

test('the table has PreciseBN as its last line, the chart as a level one', () => {
  const result = resultOf(cifar10EmaDecay, asInThePaper);
  const { head, body } = cifar10EmaDecay.table(result);
  expect(head).toEqual(['validation error %, lambda', 'EMA, learning rate 0.1', 'EMA, learning rate 0.001']);
  expect(body.map(([name]) => name)).toEqual(['0.5', '0.9', '0.999', 'PreciseBN']);
  expect(renderChart(cifar10EmaDecay, result)).toContain('PreciseBN, learning rate 0.1');
});
