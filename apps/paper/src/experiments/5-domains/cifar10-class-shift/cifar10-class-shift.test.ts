import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { cifar10ClassShift } from './cifar10-class-shift.ts';
import { MINI_BATCH, type Row, SOURCE, WAYS } from './rows.ts';

/** By shift: source and mini-batch, then each way on 256 photographs, in percent. On 8 they are halfway to the source. */
function rows(errors: Record<string, readonly [number, number, ...number[]]>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([shift, [source, miniBatch, ...ways]]) => {
      const row = (way: Row['way'], samples: number, percent: number): Row => {
        const error = (percent + 0.1 * seed) / 100;
        return { ...{ seed, shift, way, samples, error }, worst: error + 0.05 };
      };
      return [
        row(SOURCE, 0, source),
        row(MINI_BATCH, 0, miniBatch),
        ...WAYS.flatMap((way, i) => [row(way, 8, (ways[i]! + source) / 2), row(way, 256, ways[i]!)]),
      ];
    }),
  );
}

const expected = rows({
  none: [16, 50, 40, 39, 24, 42, 17],
  'fog 5': [50, 60, 55, 54, 50, 55, 40],
});

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10ClassShift.claims(expected), 5);
  const otherwise = rows({
    none: [16, 18, 19, 19, 18, 19, 20],
    'fog 5': [50, 60, 41, 54, 50, 55, 40],
  });
  expectNoneHolds(cifar10ClassShift.claims(otherwise), 5);
});

test('the table has a line per way and number, the chart a part per shift', () => {
  const result = resultOf(cifar10ClassShift, expected);
  const { head, body } = cifar10ClassShift.table(result);
  expect(head).toEqual(['error %', 'photographs', 'shift: none', 'shift: fog 5']);
  expect(body).toHaveLength(12);
  expect(body[0]).toEqual(['source', '', '16.20 [15.95, 16.45]', '50.20 [49.95, 50.45]']);
  expect(renderChart(cifar10ClassShift, result)).toContain('reference, same class');
});
