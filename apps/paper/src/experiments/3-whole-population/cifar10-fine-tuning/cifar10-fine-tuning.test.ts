import type { LabeledImages } from '@rebatch/images';
import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { cifar10FineTuning, type Row } from './cifar10-fine-tuning.ts';
import { taskOf } from './task.ts';

/** By condition: as trained, and recalibrated. */
function rows(errors: Record<string, readonly [number, number]>): Row[] {
  return [1, 2, 3].flatMap((seed) =>
    Object.entries(errors).flatMap(([condition, values]) =>
      (['as trained', 'recalibrated'] as const).map((measure, i) => ({
        ...{ seed, condition, measure },
        value: values[i]! + 0.001 * seed,
      })),
    ),
  );
}

const expected = rows({
  'EMA 0.9': [0.31, 0.305],
  'EMA 0.999': [0.6, 0.3],
  frozen: [0.35, 0.5],
});

test('the claims are decided by the rows', () => {
  expectAllHold(cifar10FineTuning.claims(expected), 4);
  const otherwise = rows({ 'EMA 0.9': [0.4, 0.3], 'EMA 0.999': [0.31, 0.3], frozen: [0.35, 0.34] });
  expectNoneHolds(cifar10FineTuning.claims(otherwise), 4);
});

test('the table and the chart have each condition', () => {
  const result = resultOf(cifar10FineTuning, expected);
  expect(cifar10FineTuning.table(result).body.map(([name]) => name)).toEqual([
    'EMA 0.9',
    'EMA 0.999',
    'frozen',
  ]);
  expect(renderChart(cifar10FineTuning, result)).toContain('recalibrated');
});

test('old and new classes do not mix, and are labeled from 0', () => {
  const all = (size: number): LabeledImages => ({
    ...{ size, classes: 10, shape: [1, 1, 1] },
    images: Uint8Array.from({ length: size }, (_, i) => i),
    labels: Uint8Array.from({ length: size }, (_, i) => i % 10),
  });
  const photographs = { training: all(100), validation: all(10), test: all(20) };
  const { pretraining, tuning, test: tested } = taskOf(photographs, 1, { images: 8, pretrainingImages: 30 });
  expect([pretraining.size, tuning.size, tested.size]).toEqual([30, 8, 10]);
  expect([...pretraining.images].every((value, i) => value % 10 === pretraining.labels[i])).toBe(true);
  for (const { images, labels, classes } of [tuning, tested]) {
    expect(classes).toBe(5);
    expect([...images].every((value, i) => value % 10 === labels[i]! + 5)).toBe(true);
  }
  const other = taskOf(photographs, 2, { images: 8, pretrainingImages: 30 });
  expect(other.tuning.images).not.toEqual(tuning.images);
  expect(other.pretraining).toEqual(pretraining);
});
