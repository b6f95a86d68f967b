import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorRate } from './compare-errors.ts';
import { inspectCase, makeCase } from './faults.test.support.ts';
import { formatReport } from './format.ts';
import { errorsOf } from './labels.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([true, false])('formatReport shows all that was measured, aligned (labels: %s)', async (labels) => {
  const one = makeCase(1);
  const report = await inspectCase(one, one.exact, { batches: 20, size: 8, labels });
  const text = formatReport(report);
  const lines = text.split('\n');
  expect(lines[0]).toMatch(/^Batch statistics of 'net': 160 samples in 20 batches of 8, \d+\.\d s on cpu$/);
  const [{ range } = { range: null }] = report.inputs;
  expect(lines[1]).toMatch(/^Input 'dense0_input': float32 \[8\], -[\d.]+ to [\d.]+ in the first batch$/);
  expect(lines[1]).toContain(
    `${Number(range!.least.toPrecision(4))} to ${Number(range!.largest.toPrecision(4))} in`,
  );
  const table = lines.slice(3, 7);
  expect(table[0]).toMatch(/^layer +EMA: mean/);
  expect(table.slice(1).map((line) => line.split(' ')[0])).toEqual(['bn0', 'bn1', 'bn2']);
  expect(new Set(table.map((line) => line.length)).size).toBe(1);
  expect(text.includes('held-out samples')).toBe(labels);
  expect(text.includes('layerwise  ')).toBe(labels);
  const words = (value: string) => value.replaceAll(/\s+/g, ' ');
  for (const advice of report.advice) {
    expect(words(text)).toContain(words(advice.text));
    expect(text).toContain(advice.section);
  }
  const [control, newline] = ['\u001b', '\n'];
  expect(text.includes(control)).toBe(false);
  expect(text.endsWith(newline) && !text.endsWith(newline + newline)).toBe(true);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(120);
  // What was saved as JSON is formatted like what was measured.
  expect(formatReport(JSON.parse(JSON.stringify(report)))).toBe(text);
});

describe('errors', () => {
  const labelsOf = (classes: number[], samples = classes.length) => ({
    samples,
    classes: Int32Array.from(classes),
  });

  test('are shares of wrong classes', () => {
    expect([...errorsOf([0, 1, 2, 9, 1, 0], 3, labelsOf([2, 1]))]).toEqual([0, 1]);
    expect([...errorsOf([0.2, 0.8, 0.6, 0.1], 1, labelsOf([0, 1, 0, 1]))]).toEqual([0, 0, 1, 1]);
    // Two samples of two positions.
    expect([...errorsOf([1, 0, 1, 0, 0, 1, 0, 1], 2, labelsOf([0, 1, 1, 1], 2))]).toEqual([0.5, 0]);
  });

  test('NaN is wrong, whatever the label', () => {
    expect([...errorsOf([Number.NaN, 0, 1, Number.NaN], 2, labelsOf([0, 0]))]).toEqual([1, 1]);
    expect([...errorsOf([Number.NaN, Number.NaN], 1, labelsOf([0, 1]))]).toEqual([1, 1]);
  });

  test('a single unit must be a probability', () => {
    expect(() => errorsOf([0.5, -3], 1, labelsOf([0, 1]))).toThrow(/probability of class 1, got -3/);
  });

  test('no error among n samples is not none: the standard error is at least 1 / n', () => {
    expect(errorRate([new Float64Array(20), new Float64Array(30)])).toEqual({
      error: 0,
      standardError: 1 / 50,
    });
    expect(errorRate([Float64Array.of(1)])).toEqual({ error: 1, standardError: 1 });
  });

  test('samples that err together count as one', () => {
    const batches = Array.from({ length: 10 }, (_, i) => new Float64Array(50).fill(i % 2));
    const { error, standardError } = errorRate(batches);
    expect(error).toBe(0.5);
    // Ten coins, not five hundred: 0.5 / sqrt(9).
    expect(standardError).toBeCloseTo(0.5 / 3, 12);
  });
});
