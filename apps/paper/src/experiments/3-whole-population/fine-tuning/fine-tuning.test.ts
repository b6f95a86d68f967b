import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { meanOf } from '../../../rows/conditions.ts';
import { percent } from '../../../rows/summary.ts';
import { readResult } from '../../../runner/result-files.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../../testing/verdicts.ts';
import { fineTuning } from './fine-tuning.ts';
import { AS_TRAINED, emaName, FROZEN, FROZEN_FAST, MEASURES, RECALIBRATED, type Row } from './rows.ts';

type Errors = Readonly<Record<string, readonly [asTrained: number, recalibrated?: number]>>;

const rows = (errors: Errors): Row[] =>
  [1, 2].flatMap((seed) =>
    Object.entries(errors).flatMap(([condition, values]) =>
      values.map((value = 0, i) => ({ seed, condition, measure: MEASURES[i]!, value: value + seed * 0.001 })),
    ),
  );

const asInThePaper: Errors = {
  'EMA 0.9': [0.061, 0.06],
  'EMA 0.99': [0.08, 0.06],
  'EMA 0.999': [0.25, 0.06],
  frozen: [0.08, 0.12],
  'frozen, larger rate': [0.2],
};
const otherwise: Errors = {
  'EMA 0.9': [0.09, 0.06],
  'EMA 0.99': [0.08, 0.06],
  'EMA 0.999': [0.075, 0.09],
  frozen: [0.08, 0.07],
  'frozen, larger rate': [0.081],
};

test('the claims are decided by the rows, whatever their order', () => {
  for (const list of [rows(asInThePaper), rows(asInThePaper).reverse()]) {
    const claims = fineTuning.claims(list);
    expectAllHold(claims, 8);
    expect(claims[0]!.measured).toBe('25.15% as trained, 6.15% recalibrated; by seed 19.00%, 19.00% better');
  }
});

test('where the rows say otherwise, no claim holds', () => {
  expectNoneHolds(fineTuning.claims(rows(otherwise)), 8);
});

test('the table has a line per way to fine-tune, the chart all names', () => {
  const result = resultOf(fineTuning, rows(asInThePaper));
  const { head, body } = fineTuning.table(result);
  expect(head).toEqual(['test error %', AS_TRAINED, RECALIBRATED]);
  expect(body.map(([condition]) => condition)).toEqual(Object.keys(asInThePaper));
  const svg = renderChart(fineTuning, result);
  for (const name of [...Object.keys(asInThePaper), ...MEASURES]) expect(svg).toContain(`>${name}<`);
});

test('the momentum decides nothing but the EMA: recalibrated, the networks of a seed are the same', async () => {
  await tf.setBackend('cpu');
  const quick = fineTuning.settings(true);
  const settings: typeof quick = {
    ...quick,
    training: 100,
    images: 16,
    test: 100,
    pretraining: {
      ...quick.pretraining,
      blocks: [2, 'pool', 3, 'pool'],
      batch: 8,
      steps: 2,
      population: { mode: 'layerwise', samples: 16 },
    },
    tuning: { ...quick.tuning, batch: 8, epochs: 2 },
  };
  let steps = 0;
  const context = { signal: new AbortController().signal, advance: () => void steps++ };
  const tensors = tf.memory().numTensors;
  const measured = await fineTuning.runSeed(1, settings, context);
  expect(tf.memory().numTensors).toBe(tensors);
  expect(steps).toBe(fineTuning.steps(settings));
  expect(measured.map(({ condition, measure }) => [condition, measure])).toEqual(
    rows(asInThePaper)
      .filter(({ seed }) => seed === 1)
      .map(({ condition, measure }) => [condition, measure]),
  );
  const errors = (measure: Row['measure']) =>
    measured
      .filter((row) => row.measure === measure && row.condition.startsWith('EMA'))
      .map((row) => row.value);
  expect(new Set(errors(RECALIBRATED)).size).toBe(1);
});

test('the guide to fine-tuning has the numbers of the committed rows, in this order', async () => {
  const readme = new URL('../../../../../../packages/recalibrate/README.md', import.meta.url);
  const [, guide = ''] = /^## Fine-tuning (.*?)^## /ms.exec(await readFile(readme, 'utf8')) ?? [];
  const committed = (await readResult('fine-tuning')).rows as unknown as readonly Row[];
  const error = (condition: string, measure: Row['measure']) =>
    percent(meanOf(committed, condition, measure), 1);
  const emas = [0.9, 0.99, 0.999].map(emaName);
  const recalibrated = emas.map((ema) => error(ema, RECALIBRATED));
  expect(new Set(recalibrated).size).toBe(1);
  expect(guide.match(/\d+\.\d%/g)).toEqual([
    error(FROZEN, AS_TRAINED),
    error(FROZEN_FAST, AS_TRAINED),
    ...emas.map((ema) => error(ema, AS_TRAINED)),
    recalibrated[0],
    error(FROZEN, AS_TRAINED),
    error(FROZEN, RECALIBRATED),
  ]);
});
