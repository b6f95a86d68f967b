// Estimators that give or do what no estimator should.
import '@tensorflow/tfjs-backend-cpu';
import { type Estimator, populationVariance } from '@rebatch/estimators';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { failure, fresh, modes, rows } from './failures.test.support.ts';
import * as errors from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(modes)("mode '%s': an estimator", (mode) => {
  const withEstimate = (change: object) => (): Estimator => {
    const inner = populationVariance();
    return {
      kind: 'mine',
      update: (batch) => inner.update(batch),
      estimate: () => ({ ...inner.estimate(), ...change }),
      toJSON: () => inner.toJSON(),
    };
  };

  test.each([
    ['NaN', { mean: new Float64Array(5).fill(Number.NaN) }],
    ['a negative variance', { variance: new Float64Array(5).fill(-1) }],
    ['a value beyond float32', { mean: new Float64Array(5).fill(1e39) }],
    ['other channels', { mean: new Float64Array(2) }],
  ])('that gives %s', async (_, change) => {
    const error = await failure(fresh(rows), { mode, estimator: withEstimate(change) });
    expect(error).toBeInstanceOf(errors.EstimateError);
    expect(error.message).toMatch(/Layer 'bn0': the estimator 'mine' gave/);
  });

  test('that refuses a batch', async () => {
    const refuse = () => ({
      ...withEstimate({})(),
      update: () => {
        throw new Error('too small');
      },
    });
    const error = await failure(fresh(rows), { mode, estimator: refuse });
    expect(error).toBeInstanceOf(errors.EstimateError);
    expect(error.message).toMatch(/Layer 'bn0', batch 0.*too small/);
    expect(error.cause).toMatchObject({ message: 'too small' });
  });

  test('that has no kind, gives nothing, or throws what is no error', async () => {
    const nameless = () => ({ ...withEstimate({})(), kind: undefined });
    const nothing = () => ({ ...nameless(), estimate: () => undefined }) as never;
    const gave = await failure(fresh(rows), { mode, estimator: nothing });
    expect(gave).toBeInstanceOf(errors.EstimateError);
    expect(gave.message).toMatch(/Layer 'bn0': the estimator gave undefined for the means/);
    const refuse = () => ({
      ...nameless(),
      update: () => {
        throw { code: 5 };
      },
    });
    const refused = await failure(fresh(rows), { mode, estimator: refuse as never });
    expect(refused.message).toMatch(/the estimator refused the batch: an object with code/);
  });

  test('that is shared by all layers, or none', async () => {
    const one = populationVariance();
    const shared = await failure(fresh(rows), { mode, estimator: () => one });
    expect(shared).toBeInstanceOf(errors.RecalibrationOptionError);
    const none = await failure(fresh(rows), { mode, estimator: (() => undefined) as never });
    expect(none).toBeInstanceOf(errors.RecalibrationOptionError);
  });
});
