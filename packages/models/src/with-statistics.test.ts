// Predictions by mini-batch or by population statistics, for as long as a function runs.
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  InvalidInputError,
  NormalizationBatchError,
  type Statistics,
} from '@rebatch/layers';
import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, referenceBatchNorm, referenceNormalize } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { withStatistics } from './index.ts';
import { KINDS, nested, predict, single } from './with-statistics.test.support.ts';

const StockClass = tfl.layers.batchNormalization({ name: 'stock_class' })
  .constructor as unknown as typeof BatchNormalization;

onEachBackend(() => {
  test.each(KINDS)('%s: mini-batch statistics at inference, as by float64 loops', (_, create) => {
    const model = single(create);
    const x = randomTensor([7, 3], 1);
    const [gamma, beta] = weightValues(model) as [Float32Array, Float32Array];
    const layout = { outer: 7, channels: 3, inner: 1, groups: 1 };
    const [before, population] = [weightValues(model), predict(model, x)];
    const y = withStatistics(model, 'batch', () => predict(model, x));
    expectClose(y, referenceBatchNorm(x.dataSync(), layout, { gamma, beta, epsilon: 1e-3 }), 1e-5);
    expect(weightValues(model)).toEqual(before);
    expect(predict(model, x)).toEqual(population);
  });

  test.each(KINDS)(
    '%s: leaves nothing on the layers and no tensors, in nested models too',
    async (_, create) => {
      const model = nested(create);
      const x = randomTensor([6, 3], 1);
      const layers = batchNormLayers(model);
      const prototypes = layers.map((layer) => Object.getPrototypeOf(layer));
      const keys = layers.map((layer) => Reflect.ownKeys(layer));
      const population = predict(model, x);
      await expectNoLeaks(tf, () => {
        expect(withStatistics(model, 'batch', () => predict(model, x))).not.toEqual(population);
      });
      expect(layers.map((layer) => Reflect.ownKeys(layer))).toEqual(keys);
      for (const [i, layer] of layers.entries()) expect(Object.getPrototypeOf(layer)).toBe(prototypes[i]);
      expect(predict(model, x)).toEqual(population);
    },
  );

  test.each(KINDS)('%s: training goes on as without the scope', async (_, create) => {
    const [x, y] = [randomTensor([8, 3], 1), randomTensor([8, 1], 2)];
    const [expected, actual] = [nested(create), nested(create)];
    for (const model of [expected, actual]) model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expected.trainOnBatch(x, y);
    await withStatistics(actual, 'batch', () => actual.trainOnBatch(x, y));
    expect(weightValues(actual)).toEqual(weightValues(expected));
  });

  test('a fit in the scope validates by it', async () => {
    const [x, y] = [randomTensor([8, 3], 1), randomTensor([8, 1], 2)];
    const losses = async (statistics: Statistics) => {
      const model = nested(tfl.layers.batchNormalization);
      model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
      const fit = () => model.fit(x, y, { batchSize: 8, epochs: 1, verbose: 0, validationData: [x, y] });
      const { history } = await withStatistics(model, statistics, fit);
      return [history.loss![0] as number, history.val_loss![0] as number];
    };
    const [loss, validation] = await losses('batch');
    expectClose([validation!], [loss!], 1e-5);
    const [, underPopulation] = await losses('population');
    expect(Math.abs(underPopulation! - loss!)).toBeGreaterThan(1e-3);
  });
});

test("'population' holds over a layer's settings, and 'batch' uses its normalization batches", () => {
  const x = randomTensor([6, 3], 1);
  const model = single(batchNormalization, { inferenceStatistics: 'batch', normalizationBatchSize: 3 });
  const layer = model.layers[0] as BatchNormalization;
  const asSet = predict(model, x);
  const population = withStatistics(model, 'population', () => predict(model, x));
  expect(withStatistics(model, 'batch', () => predict(model, x))).toEqual(asSet);
  layer.inferenceStatistics = 'population';
  expect(predict(model, x)).toEqual(population);
  expect(predict(model, x)).not.toEqual(asSet);
});

test('errors: statistics that do not exist, and a batch that has none', () => {
  const model = single(tfl.layers.batchNormalization);
  const act = () => withStatistics(model, 'ema' as Statistics, () => 1);
  expect(act).toThrow(InvalidInputError);
  expect(act).toThrow(/withStatistics.*'batch' or 'population', got "ema"/);
  const nothing = () => withStatistics(model, 'batch', undefined as never);
  expect(nothing).toThrow(InvalidInputError);
  expect(nothing).toThrow('withStatistics: expected fn to be a function, got undefined.');
  const misspelled = { normalisationBatchSize: 4 } as object;
  const unknown = () => withStatistics(model, 'batch', () => expect.fail('ran'), misspelled);
  expect(unknown).toThrow(InvalidInputError);
  expect(unknown).toThrow(/withStatistics.*"normalisationBatchSize"\. Did you mean normalizationBatchSize\?/);
  const one = () => withStatistics(model, 'batch', () => model.predict(tf.ones([1, 3])));
  expect(one).toThrow(NormalizationBatchError);
  expect(one).toThrow(/'bn'/);
});

test('a class derived from the stock one infers by itself: left alone by population, refused by batch', () => {
  class Doubled extends StockClass {
    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}) {
      return tf.tidy(() => tf.mul(super.call(inputs, kwargs), 2));
    }
  }
  const model = tfl.sequential({
    name: 'mixed',
    layers: [
      tfl.layers.batchNormalization({ name: 'plain', inputShape: [3] }),
      new Doubled({ name: 'doubled' }),
    ],
  });
  randomizeWeights(model, 2);
  const x = randomTensor([6, 3], 1);
  const alone = predict(model, x);
  expect(withStatistics(model, 'population', () => predict(model, x))).toEqual(alone);
  const act = () => withStatistics(model, 'batch', () => predict(model, x));
  expect(act).toThrow(InvalidInputError);
  expect(act).toThrow(/withStatistics.*'doubled' of model 'mixed'.*\(Doubled\)/);
  for (const layer of model.layers) expect(Object.hasOwn(layer, 'call')).toBe(false);
  expect(predict(model, x)).toEqual(alone);
});

test('a class derived from ours infers by itself, on the statistics of the scope', () => {
  class Doubled extends BatchNormalization {
    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
      return tf.tidy(() => tf.mul(super.call(inputs, kwargs), 2));
    }
  }
  const x = randomTensor([6, 3], 1);
  for (const settings of [{ inferenceStatistics: 'batch' }, { frozen: { affine: 'fixed' } }] as const) {
    const plain = single(batchNormalization, settings);
    const model = single((config) => new Doubled(config), settings);
    const asSet = predict(model, x);
    for (const statistics of ['batch', 'population'] as const) {
      const expected = withStatistics(plain, statistics, () => predict(plain, x));
      const actual = withStatistics(model, statistics, () => predict(model, x));
      expect(actual).toEqual(expected.map((value) => 2 * value));
    }
    expect((model.layers[0] as BatchNormalization).getConfig()).toMatchObject(settings);
    expect(predict(model, x)).toEqual(asSet);
  }
});

onEachBackend(() => {
  test.each(KINDS)(
    '%s: of an input that is a part of its batch, the batch’s moments normalize',
    (_, create) => {
      const model = single(create);
      const layer = model.layers[0]!;
      const part = randomTensor([3, 3], 1);
      const [gamma, beta] = weightValues(model) as [Float32Array, Float32Array];
      const moments = { mean: [0.5, -1, 2], variance: [4, 1, 0.25] };
      const batchMoments = { mean: tf.tensor1d(moments.mean), variance: tf.tensor1d(moments.variance) };
      const layout = { outer: 3, channels: 3, inner: 1, groups: 1 };
      const expected = referenceNormalize(part.dataSync(), layout, moments, { gamma, beta, epsilon: 1e-3 });
      const y = withStatistics(model, 'batch', () => layer.call(part, { batchMoments }) as tf.Tensor);
      expectClose(y.dataSync(), expected, 1e-5);
      // A single value per channel is no obstacle then, and population statistics are what they were.
      const row = tf.slice(part, 0, 1);
      const one = withStatistics(model, 'batch', () => layer.call(row, { batchMoments }) as tf.Tensor);
      expectClose(one.dataSync(), expected.slice(0, 3), 1e-5);
      expect((layer.call(part, { batchMoments }) as tf.Tensor).dataSync()).toEqual(
        (layer.call(part, {}) as tf.Tensor).dataSync(),
      );
    },
  );
});

onEachBackend(() => {
  test.each(KINDS)('%s: in normalization batches of the scope’s size', (_, create) => {
    const model = single(create);
    const x = randomTensor([6, 3], 1);
    const [gamma, beta] = weightValues(model) as [Float32Array, Float32Array];
    const layout = { outer: 6, channels: 3, inner: 1, groups: 3 };
    const options = { normalizationBatchSize: 2 };
    const y = withStatistics(model, 'batch', () => predict(model, x), options);
    expectClose(y, referenceBatchNorm(x.dataSync(), layout, { gamma, beta, epsilon: 1e-3 }), 1e-5);
    const whole = withStatistics(model, 'batch', () => predict(model, x));
    expect(whole).not.toEqual(y);
    // It says nothing about population statistics.
    expect(withStatistics(model, 'population', () => predict(model, x), options)).toEqual(predict(model, x));
    expect(() =>
      withStatistics(model, 'batch', () => expect.fail('ran'), { normalizationBatchSize: 0 }),
    ).toThrow('withStatistics: expected option normalizationBatchSize to be an integer >= 1, got 0.');
  });

  test.each(KINDS)('%s: a single value is an error, or beta where that is asked for', (_, create) => {
    const model = single(create);
    const x = randomTensor([1, 3], 1);
    const by = (options?: object) =>
      withStatistics(model, 'batch', () => predict(model, x), options as never);
    expect(() => by()).toThrow(NormalizationBatchError);
    expect(() => by()).toThrow(/'bn'.*singleValue: 'normalize'/);
    expect(by({ singleValue: 'normalize' })).toEqual(weightValues(model)[1]);
    expect(() => by({ singleValues: 'normalize' })).toThrow('Did you mean singleValue?');
  });

  test('our layer: as it is set, unless the scope says otherwise', () => {
    const model = single(batchNormalization, { singleValue: 'normalize' });
    const x = randomTensor([1, 3], 1);
    expect(withStatistics(model, 'batch', () => predict(model, x))).toEqual(weightValues(model)[1]);
    const strict = () => withStatistics(model, 'batch', () => predict(model, x), { singleValue: 'throw' });
    expect(strict).toThrow(NormalizationBatchError);
  });

  test.each(KINDS)('%s: padded steps count in stock layers, and not in ours', (_, create) => {
    const model = tfl.sequential({
      layers: [tfl.layers.masking({ inputShape: [3, 1] }), create({ center: false, scale: false })],
    });
    const x = tf.tensor3d([[[1], [3], [0]]]);
    const y = withStatistics(model, 'batch', () => predict(model, x));
    const [mean, variance] = create === batchNormalization ? [2, 1] : [4 / 3, 14 / 9];
    expectClose(
      y,
      [1, 3, 0].map((value) => (value - mean!) / Math.sqrt(variance! + 1e-3)),
      1e-5,
    );
    x.dispose();
  });
});
