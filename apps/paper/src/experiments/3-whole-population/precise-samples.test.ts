import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { preciseSamples, type Row } from './precise-samples.ts';

function rows(errors: Record<number, number>): Row[] {
  return [30, 120].flatMap((step) =>
    Object.entries(errors).flatMap(([samples, error]) =>
      [0, 1].map((draw) => ({ seed: 1, step, samples: Number(samples), draw, error: error + draw * 0.01 })),
    ),
  );
}

const asInThePaper = rows({ 10: 0.1, 1000: 0.031, 10000: 0.03 });

test('the claims are decided by the rows', () => {
  expectAllHold(preciseSamples.claims(asInThePaper), 2);
  const otherwise = preciseSamples.claims(rows({ 10: 0.031, 1000: 0.04, 10000: 0.03 }));
  expectNoneHolds(otherwise, 2);
  expect(otherwise[0]!.why).toContain('1.00% and 1.00% away');
});

test('draws are averaged before the spread over seeds', () => {
  const result = resultOf(preciseSamples, asInThePaper);
  expect(preciseSamples.table(result)).toEqual({
    head: ['validation error %, samples', 'after 30 steps', 'after 120 steps'],
    body: [
      ['10', '10.50', '10.50'],
      ['1000', '3.60', '3.60'],
      ['10000', '3.50', '3.50'],
    ],
  });
  expect(renderChart(preciseSamples, result)).toContain('after 120 steps');
});
