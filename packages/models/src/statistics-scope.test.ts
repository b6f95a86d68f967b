// The scope of withStatistics: when it is over, scopes within scopes and beside each other, and changes to the model in it.
import '@tensorflow/tfjs-backend-cpu';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  freezeBatchNorm,
  type Statistics,
} from '@rebatch/layers';
import { randomTensor, weightValues } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { withStatistics } from './index.ts';
import { KINDS, nested, predict, single } from './with-statistics.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('returns what fn returns, and is over when fn is: returned, thrown, resolved or rejected', async () => {
  const model = single(tfl.layers.batchNormalization);
  const x = randomTensor([6, 3], 1);
  const population = predict(model, x);
  expect(withStatistics(model, 'batch', () => 7)).toBe(7);
  expect(withStatistics(model, 'batch', () => null)).toBe(null);
  const failing = () => {
    throw new Error('mine');
  };
  expect(() => withStatistics(model, 'batch', failing)).toThrow('mine');
  expect(predict(model, x)).toEqual(population);
  const later = withStatistics(model, 'batch', async () => {
    await tf.nextFrame();
    return predict(model, x);
  });
  expect(await later).not.toEqual(population);
  expect(predict(model, x)).toEqual(population);
  await expect(withStatistics(model, 'batch', async () => failing())).rejects.toThrow('mine');
  expect(predict(model, x)).toEqual(population);
  expect(Object.hasOwn(model.layers[0]!, 'call')).toBe(false);
});

test.each(KINDS)('%s: scopes nest', (_, create) => {
  const model = single(create);
  const x = randomTensor([6, 3], 1);
  const population = predict(model, x);
  withStatistics(model, 'batch', () => {
    const batch = predict(model, x);
    expect(batch).not.toEqual(population);
    withStatistics(model, 'population', () => {
      expect(predict(model, x)).toEqual(population);
      expect(withStatistics(model, 'batch', () => predict(model, x))).toEqual(batch);
      expect(predict(model, x)).toEqual(population);
    });
    expect(predict(model, x)).toEqual(batch);
  });
  expect(predict(model, x)).toEqual(population);
});

test('asynchronous scopes that overlap are kept apart, and end in any order', async () => {
  const model = single(tfl.layers.batchNormalization);
  const x = randomTensor([6, 3], 1);
  const population = predict(model, x);
  const byBatch = withStatistics(model, 'batch', () => predict(model, x));
  expect(byBatch).not.toEqual(population);
  const ends: (() => void)[] = [];
  const scope = (statistics: Statistics) =>
    withStatistics(model, statistics, async () => {
      const before = predict(model, x);
      await new Promise<void>((resolve) => ends.push(resolve));
      return [before, predict(model, x)];
    });
  const [first, second] = [scope('batch'), scope('population')];
  // Who is in no scope sees none.
  expect(predict(model, x)).toEqual(population);
  const third = scope('batch');
  ends[1]!();
  expect(await second).toEqual([population, population]);
  ends[0]!();
  expect(await first).toEqual([byBatch, byBatch]);
  expect(predict(model, x)).toEqual(population);
  ends[2]!();
  expect(await third).toEqual([byBatch, byBatch]);
  expect(Object.hasOwn(model.layers[0]!, 'call')).toBe(false);
});

test('an asynchronous scope holds through awaits, and a nested one within it', async () => {
  const model = single(batchNormalization);
  const x = randomTensor([6, 3], 1);
  const population = predict(model, x);
  const byBatch = withStatistics(model, 'batch', () => predict(model, x));
  const seen = await withStatistics(model, 'batch', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const inner = await withStatistics(model, 'population', async () => {
      await null;
      return predict(model, x);
    });
    return [predict(model, x), inner];
  });
  expect(seen).toEqual([byBatch, population]);
});

test('a model may be converted within the scope', () => {
  const model = single(tfl.layers.batchNormalization);
  const x = randomTensor([6, 3], 1);
  const [batch, again] = withStatistics(model, 'batch', () => {
    const before = predict(model, x);
    convert(model);
    return [before, predict(model, x)];
  });
  expect(again).toEqual(batch);
  const layer = model.layers[0]!;
  expect(layer).toBeInstanceOf(BatchNormalization);
  expect(layer.call).toBe(BatchNormalization.prototype.call);
});

test('a model may be frozen within the scope, and trains frozen from then on', async () => {
  const model = nested(tfl.layers.batchNormalization);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const [x, y] = [randomTensor([8, 3], 1), randomTensor([8, 1], 2)];
  const statistics = () => batchNormLayers(model).map((layer) => weightValues(layer).slice(2));
  await withStatistics(model, 'batch', async () => {
    freezeBatchNorm(model);
    const before = statistics();
    await model.trainOnBatch(x, y);
    expect(statistics()).toEqual(before);
  });
});
