import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { expectAllHold, failing } from '../../testing/verdicts.ts';
import { emaVsPrecise, type Row } from './ema-vs-precise.ts';

/** A run in which each method has the same error at every point, but for a swing. */
function rows(errors: Record<string, number>, swings: Record<string, number> = {}): Row[] {
  return [1, 2].flatMap((seed) =>
    [10, 20, 30].flatMap((step, i) =>
      Object.entries(errors).map(([method, error]) => ({
        seed,
        step,
        method,
        error: error + (i % 2) * (swings[method] ?? 0),
      })),
    ),
  );
}

const asInThePaper = {
  'EMA 0.9': 0.1,
  'EMA 0.99': 0.2,
  'PreciseBN 10^2': 0.05,
  'PreciseBN 10^3': 0.031,
  'PreciseBN 10^4': 0.03,
  layerwise: 0.03,
};

test('the claims hold where the numbers bear them out', () => {
  const claims = emaVsPrecise.claims(rows(asInThePaper, { 'EMA 0.9': 0.05, 'EMA 0.99': 0.1 }));
  expectAllHold(claims, 4);
  expect(claims[0]!.measured).toContain('PreciseBN with 10^4 samples 3.00%');
});

test('and not where they do not, with a reason', () => {
  const other = { ...asInThePaper, 'EMA 0.9': 0.02, 'PreciseBN 10^3': 0.04, layerwise: 0.01 };
  const claims = emaVsPrecise.claims(rows(other, { 'PreciseBN 10^4': 0.2 }));
  expect(failing(claims)).toEqual([0, 1, 2, 3]);
  for (const { why } of claims) expect(why).toBeTruthy();
});

test('the table has a line per point and a column per method; the chart names every method', () => {
  const result = {
    experiment: 'ema-vs-precise',
    section: '3',
    seeds: [1, 2],
    backend: 'wasm',
    settings: {},
    rows: rows(asInThePaper),
    claims: [],
    seconds: 1,
  };
  const { head, body } = emaVsPrecise.table(result);
  expect(head).toHaveLength(7);
  expect(body.map((line) => line[0])).toEqual(['10', '20', '30']);
  expect(body[0]![1]).toBe('10.00 ±0.00');
  const svg = renderChart(emaVsPrecise, result);
  expect(svg).toMatch(/^<svg/);
  for (const method of Object.keys(asInThePaper)) expect(svg).toContain(method);
});
