import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { nbsSweep, type Row } from './nbs-sweep.ts';

/** Per normalization batch: training, validation under mini-batch and under population statistics. */
function rows(errors: Record<number, [number, number, number]>): Row[] {
  const measures = ['training, mini-batch', 'validation, mini-batch', 'validation, population'] as const;
  return [1, 2].flatMap((seed) =>
    Object.entries(errors).flatMap(([size, values]) =>
      measures.map((measure, i) => ({
        seed,
        normalizationBatch: Number(size),
        measure,
        error: values[i]! + (seed - 1.5) * 0.002,
      })),
    ),
  );
}

const asInThePaper = rows({ 2: [0.2, 0.21, 0.3], 4: [0.1, 0.12, 0.15], 256: [0.01, 0.02, 0.02] });
const otherwise = rows({ 2: [0.01, 0.2, 0.02], 4: [0.02, 0.3, 0.03], 256: [0.03, 0.2, 0.01] });

test('the claims are decided by the rows', () => {
  const claims = nbsSweep.claims(asInThePaper);
  expectAllHold(claims, 6);
  expect(claims[0]!.measured).toContain('2: 9.00%, 4: 3.00%, 256: 0.00%');
  expectNoneHolds(nbsSweep.claims(otherwise), 6);
});

test('the gap may only shrink with larger batches', () => {
  const grows = rows({ 2: [0.2, 0.21, 0.3], 4: [0.1, 0.12, 0.13], 8: [0.1, 0.12, 0.15], 256: [0, 0, 0] });
  expect(nbsSweep.claims(grows)[0]!.holds).toBe(false);
});

test('the table has a line per size and the chart a line per error', () => {
  const result = resultOf(nbsSweep, asInThePaper);
  expect(nbsSweep.table(result).body[0]).toEqual(['2', '20.00 ±0.14', '21.00 ±0.14', '30.00 ±0.14']);
  expect(renderChart(nbsSweep, result)).toContain('validation, population');
});
