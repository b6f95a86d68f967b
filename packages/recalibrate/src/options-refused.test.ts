// Options of recalibrate and estimateStatistics that are no such options.
import '@tensorflow/tfjs-backend-cpu';
import { populationVariance } from '@rebatch/estimators';
import { makeSequential } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { blocks, failure, fresh, rows } from './failures.test.support.ts';
import * as errors from './index.ts';
import { estimateStatistics } from './recalibrate.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each<[string, object]>([
  ['mode', { mode: 'layers' }],
  ['samples', { samples: 0 }],
  ['samples', { samples: 1.5 }],
  ['samples', { samples: 'some' }],
  ['tolerance', { tolerance: 0 }],
  ['prior', { prior: -1 }],
  ['prior', { prior: Number.NaN }],
  ['prior', { prior: Number.POSITIVE_INFINITY }],
  ['prior', { prior: '8' }],
  ['signal', { signal: new AbortController() }],
  ['onProgress', { onProgress: 'log' }],
  ...['samples', 'tolerance', 'prior'].flatMap((name) =>
    // What operators take for a number.
    [null, true, '', '7', [], [5], new Number(5), { valueOf: () => 5 }].map((value): [string, object] => [
      name,
      { [name]: value },
    ]),
  ),
  ['nonFinite', { nonFinite: 'ignore' }],
  ['estimator', { estimator: populationVariance() }],
])('a bad option: %s', async (name, options) => {
  const error = await failure(fresh(rows), options as never);
  expect(error).toBeInstanceOf(errors.RecalibrationOptionError);
  expect(error.message).toContain(`recalibrate: expected option ${name} to be `);
});

test.each([
  ['sample', 'samples'],
  ['priors', 'prior'],
  ['onprogress', 'onProgress'],
  ['estimators', 'estimator'],
])('an option that does not exist: %s', async (name, meant) => {
  const error = await failure(fresh(rows), { [name]: undefined });
  expect(error).toBeInstanceOf(errors.RecalibrationOptionError);
  expect(error.message).toContain(
    `recalibrate: expected only options that there are, got one of the name "${name}". `,
  );
  expect(error.message).toContain(
    `Did you mean ${meant}? There are estimator, mode, samples, tolerance, prior, `,
  );
});

test('estimateStatistics says whose options they are', async () => {
  const model = makeSequential(blocks);
  for (const options of [{ samples: '5' }, { sample: 5 }, null, 7]) {
    const error = await estimateStatistics(model, [], options as never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(errors.RecalibrationOptionError);
    expect(String(error)).toMatch(/estimateStatistics: expected /);
  }
  model.dispose();
});
