// Estimators that give or do what no estimator should.
import '@tensorflow/tfjs-backend-cpu';
import { type Estimator, populationVariance } from '@rebatch/estimators';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { failure, fresh, modes, rows } from './failures.test.support.ts';
import * as errors from './index.ts';
import { captureStatistics, estimateStatistics, recalibrate } from './index.ts';

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

/** A layer without an epsilon, alone or behind another one; the second channel of the data is always 3. */
function exact() {
  const model = tfl.sequential({
    layers: [
      tfl.layers.batchNormalization({ name: 'first', inputShape: [2] }),
      tfl.layers.batchNormalization({ name: 'exact', epsilon: 0 }),
    ],
  });
  const data = tf.tensor2d([1, 3, 2, 3, 5, 3, 7, 3], [4, 2]);
  return { model, data };
}

test('a channel that is constant, of a layer without an epsilon, leaves the model as it was', async () => {
  const { model, data } = exact();
  const before = await captureStatistics(model);
  const run = recalibrate(model, [data], { mode: 'layerwise' });
  await expect(run).rejects.toThrow(errors.EstimateError);
  await expect(run).rejects.toThrow(
    "Layer 'exact': expected statistics that it can normalize by, with an epsilon of 0, got variance 0 for channel 1.",
  );
  await expect(estimateStatistics(model, tf.split(data, 2), { mode: 'layerwise' })).rejects.toThrow(
    'channel 1',
  );
  expect(await captureStatistics(model)).toEqual(before);
});

test('with a prior it can divide by what comes out, which is then what the layer gets', async () => {
  const { model, data } = exact();
  await recalibrate(model, [data], { mode: 'layerwise', prior: 4 });
  const [, { variance }] = (await captureStatistics(model)) as [unknown, { variance: ArrayLike<number> }];
  // Half of 1, which it had, and half of nothing.
  expect(variance[1]).toBe(0.5);
  const outputs = (model.predict(data) as tf.Tensor).dataSync();
  expect(outputs.every(Number.isFinite)).toBe(true);
});
