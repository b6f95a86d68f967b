import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { emaDecay, type Row } from './ema-decay.ts';

/** Per learning rate: the errors with lambda 0.5, 0.9 and 0.999, and with PreciseBN. */
function rows(errors: Record<string, [number, number, number, number]>): Row[] {
  return Object.entries(errors).flatMap(([rate, values]) =>
    [0.5, 0.9, 0.999, null].flatMap((decay, i) =>
      [100, 200].map((step) => ({
        seed: 1,
        learningRate: Number(rate),
        step,
        decay,
        // Twice as high at the first point as at the second: 4/3 and 2/3 of the average.
        error: (values[i]! * (step === 100 ? 4 : 2)) / 3,
      })),
    ),
  );
}

const asInThePaper = rows({ '0.01': [0.06, 0.05, 0.055, 0.05], '0.5': [0.1, 0.12, 0.4, 0.09] });

test('the claims are decided by the rows, whatever their order', () => {
  for (const list of [asInThePaper, [...asInThePaper].reverse()]) {
    const claims = emaDecay.claims(list);
    expectAllHold(claims, 5);
    expect(claims[0]!.measured).toBe('learning rate 0.5: lambda 0.999 40.00%, best (lambda 0.5) 10.00%');
  }
  const otherwise = rows({ '0.01': [0.05, 0.06, 0.2, 0.05], '0.5': [0.12, 0.11, 0.1, 0.2] });
  expectNoneHolds(emaDecay.claims(otherwise), 5, /\d/);
});

test('PreciseBN is a line of the table and a level line of the chart', () => {
  const result = resultOf(emaDecay, asInThePaper);
  expect(emaDecay.table(result).body.at(-1)).toEqual(['PreciseBN', '5.00', '9.00']);
  expect(renderChart(emaDecay, result)).toContain('PreciseBN, learning rate 0.01');
});
