import { expectClose, expectNoLeaks, referenceBatchNorm, referenceNormalize } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { onEachBackend, randomizeWeights, randomTensor, weightValues } from './backends.test.support.ts';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  freezeBatchNorm,
  InvalidInputError,
  NormalizationBatchError,
  type Statistics,
  withStatistics,
} from './index.ts';

const StockClass = tfl.layers.batchNormalization({ name: 'stock_class' })
  .constructor as unknown as typeof BatchNormalization;
type Create = (config: object) => tfl.layers.Layer;
const KINDS: [string, Create][] = [
  ['stock', tfl.layers.batchNormalization],
  ['ours', batchNormalization],
];

function single(create: Create, config: object = {}) {
  const model = tfl.sequential({ layers: [create({ name: 'bn', inputShape: [3], ...config })] });
  randomizeWeights(model, 2);
  return model;
}

/** A nested model, so that the scope has to find layers in depth. */
function nested(create: Create) {
  const inner = tfl.sequential({ layers: [tfl.layers.dense({ units: 4, inputShape: [3] }), create({})] });
  const model = tfl.sequential({
    layers: [inner, tfl.layers.reLU(), create({}), tfl.layers.dense({ units: 1 })],
  });
  randomizeWeights(model, 6);
  return model;
}

const predict = (model: tfl.LayersModel, x: tf.Tensor) =>
  tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync<'float32'>().slice());

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

test('asynchronous scopes may overlap, and end in any order', async () => {
  const model = single(tfl.layers.batchNormalization);
  const x = randomTensor([6, 3], 1);
  const population = predict(model, x);
  const ends: (() => void)[] = [];
  const scope = (statistics: Statistics) =>
    withStatistics(model, statistics, () => new Promise<void>((resolve) => ends.push(resolve)));
  const [first, second] = [scope('batch'), scope('population')];
  expect(predict(model, x)).toEqual(population);
  ends[0]!();
  await first;
  expect(predict(model, x)).toEqual(population);
  const third = scope('batch');
  expect(predict(model, x)).not.toEqual(population);
  ends[1]!();
  await second;
  expect(predict(model, x)).not.toEqual(population);
  ends[2]!();
  await third;
  expect(predict(model, x)).toEqual(population);
  expect(Object.hasOwn(model.layers[0]!, 'call')).toBe(false);
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

test('errors: statistics that do not exist, and a batch that has none', () => {
  const model = single(tfl.layers.batchNormalization);
  const act = () => withStatistics(model, 'ema' as Statistics, () => 1);
  expect(act).toThrow(InvalidInputError);
  expect(act).toThrow(/withStatistics.*'batch' or 'population', got "ema"/);
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
    ).toThrow('withStatistics: expected normalizationBatchSize to be a whole number of at least 1, got 0.');
  });
});
