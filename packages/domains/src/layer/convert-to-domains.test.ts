import { batchNormalization, freezeBatchNorm, NotAModelError } from '@rebatch/layers';
import {
  onEachBackend,
  randomizeWeights,
  randomTensor,
  weightsByName,
  weightValues,
} from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  convertToDomains,
  DomainBatchNormalization,
  DomainLayerError,
  domainBatchNormalization,
  withDomain,
} from '../index.ts';

const DOMAINS = ['day', 'night'];

/** An ordinary trained model: stock and our layers, one of them nested, one without gamma. */
function trained() {
  const inner = tfl.sequential({
    name: 'inner',
    layers: [
      tfl.layers.dense({ units: 4, inputShape: [3], name: 'first' }),
      tfl.layers.batchNormalization({ name: 'stock', gammaRegularizer: 'l1l2' }),
    ],
  });
  const model = tfl.sequential({
    layers: [
      inner,
      batchNormalization({ name: 'ours', momentum: 0.5, scale: false }),
      tfl.layers.dense({ units: 2, name: 'last' }),
    ],
  });
  randomizeWeights(model, 3);
  return { model, layers: [inner.layers[1]!, model.layers[1]!] };
}

const predict = (model: tfl.LayersModel, x: tf.Tensor) =>
  tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync<'float32'>().slice());

onEachBackend(() => {
  test('every domain starts as the model was, and goes its own way', async () => {
    const { model, layers } = trained();
    const x = randomTensor([8, 3], 1);
    const before = predict(model, x);
    const numTensors = tf.memory().numTensors;
    expect(convertToDomains(model, { domains: DOMAINS })).toBe(model);
    // A moving mean and a moving variance for each of two layers.
    expect(tf.memory().numTensors).toBe(numTensors + 4);
    for (const layer of layers) expect(layer).toBeInstanceOf(DomainBatchNormalization);
    expect(() => predict(model, x)).toThrow('(day, night) at hand, got none');
    // The stock layer divides in another order.
    for (const domain of DOMAINS)
      expectClose(
        withDomain(model, domain, () => predict(model, x)),
        before,
        1e-6,
      );

    const day = withDomain(model, 'day', () => predict(model, x));
    withDomain(model, 'night', () => tf.tidy(() => void model.apply(x, { training: true })));
    expect(withDomain(model, 'day', () => predict(model, x))).toEqual(day);
    expect(withDomain(model, 'night', () => predict(model, x))).not.toEqual(day);
  });

  test('a compiled model goes on training, with its optimizer’s state', async () => {
    const run = async (convertMidway: boolean) => {
      const { model } = trained();
      model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
      const fit = () =>
        model.fit(randomTensor([8, 3], 1), randomTensor([8, 2], 2), {
          epochs: 3,
          verbose: 0,
          shuffle: false,
        });
      await fit();
      if (!convertMidway) await fit();
      else {
        convertToDomains(model, { domains: DOMAINS });
        await withDomain(model, 'day', fit);
      }
      return weightsByName(model);
    };
    const [ordinary, converted] = [await run(false), await run(true)];
    for (const [name, values] of Object.entries(ordinary)) expectClose(converted[name]!, values, 1e-4, name);
  });
});

test('settings, frozen ones too, and regularizers are taken over', async () => {
  await tf.setBackend('cpu');
  const { model, layers } = trained();
  freezeBatchNorm(layers[1]!);
  convertToDomains(model, { domains: DOMAINS, affine: 'per-domain' });
  const [stock, ours] = layers as DomainBatchNormalization[];
  expect(ours!.layers.map(({ frozen, momentum, scale }) => ({ frozen, momentum, scale }))).toEqual(
    DOMAINS.map(() => ({ frozen: { affine: 'fixed' }, momentum: 0.5, scale: false })),
  );
  expect(stock!.losses.length).toBe(2);
  expect(stock!.trainableWeights.length).toBe(4);
  expect(ours!.trainableWeights.length).toBe(2);
  const values = weightsByName(stock!);
  expect(values['stock/domain_1/gamma']).toEqual(values['stock/gamma']);
  expect(values['stock/domain_1/moving_variance']).toEqual(values['stock/moving_variance']);
});

test('an untrainable layer stays so, with all its domains', () => {
  const { model, layers } = trained();
  layers[0]!.trainable = false;
  convertToDomains(model, { domains: DOMAINS, affine: 'per-domain' });
  expect(layers[0]!.trainableWeights).toEqual([]);
  layers[0]!.trainable = true;
  expect(layers[0]!.trainableWeights.length).toBe(4);
});

test('a layer that is not built yet gets its domains when it is', () => {
  const layer = tfl.layers.batchNormalization({ name: 'later' });
  convertToDomains(layer, { domains: DOMAINS });
  withDomain(layer, 'night', () => tf.tidy(() => void layer.apply(tf.ones([2, 3]))));
  expect(Object.keys(weightsByName(layer))).toEqual([
    ...['later/gamma', 'later/beta', 'later/moving_mean', 'later/moving_variance'],
    ...['later/domain_1/moving_mean', 'later/domain_1/moving_variance'],
  ]);
});

test('converting again changes nothing, and leaves layers of other domains alone', () => {
  const model = tfl.sequential({
    layers: [
      domainBatchNormalization({ domains: ['x'], inputShape: [3], name: 'other' }),
      tfl.layers.batchNormalization({ name: 'plain' }),
    ],
  });
  convertToDomains(convertToDomains(model, { domains: DOMAINS }), { domains: ['late'] });
  expect((model.layers as DomainBatchNormalization[]).map(({ domains }) => domains)).toEqual([
    ['x'],
    DOMAINS,
  ]);
});

test('what cannot be converted is refused, and nothing is', () => {
  const Stock = tfl.layers.batchNormalization({ name: 'class' }).constructor as new (
    config: object,
  ) => tfl.layers.Layer;
  class Own extends Stock {}
  const model = tfl.sequential({
    layers: [tfl.layers.batchNormalization({ inputShape: [3], name: 'first' }), new Own({ name: 'own' })],
  });
  const [values, numTensors] = [weightValues(model), tf.memory().numTensors];
  expect(() => convertToDomains(model, { domains: DOMAINS })).toThrow(DomainLayerError);
  expect(() => convertToDomains(model, { domains: DOMAINS })).toThrow("Layer 'own' of model");
  expect(() => convertToDomains(trained().model, { domains: ['a', 'a'] })).toThrow("got 'a' twice");
  const misspelled = { domains: DOMAINS, statistic: { train: 'shared' } } as never;
  expect(() => convertToDomains(trained().model, misspelled)).toThrow('Did you mean statistics?');
  expect(() => convertToDomains('model' as never, { domains: DOMAINS })).toThrow(NotAModelError);
  expect(model.layers[0]).not.toBeInstanceOf(DomainBatchNormalization);
  expect(weightValues(model)).toEqual(values);
  expect(tf.memory().numTensors).toBeGreaterThanOrEqual(numTensors);
});

test('what the calls of a layer say of training is what each domain does', () => {
  const graph = (layer: tfl.layers.Layer, training: boolean) => {
    const input = tfl.input({ shape: [3] });
    const outputs = layer.apply(input, { training } as never) as tfl.SymbolicTensor;
    return tfl.model({ inputs: input, outputs });
  };
  const settingsOf = (model: tfl.LayersModel) =>
    (model.layers[1] as DomainBatchNormalization).layers.map(
      ({ trainingStatistics, inferenceStatistics }) => [trainingStatistics, inferenceStatistics],
    );
  const stock = convertToDomains(graph(tfl.layers.batchNormalization(), true), { domains: DOMAINS });
  expect(settingsOf(stock)).toEqual(DOMAINS.map(() => ['batch', 'batch']));
  const made = graph(domainBatchNormalization({ domains: DOMAINS }), false);
  expect(settingsOf(made)).toEqual(DOMAINS.map(() => ['population', 'population']));
});
