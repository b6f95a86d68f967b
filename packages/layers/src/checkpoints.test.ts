import { randomizeWeights, randomTensor, savedModel } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { BatchNormalization, batchNormalization, channelAxis, convert } from './index.ts';

await tf.setBackend('cpu');

function build(create: (config: object) => tfl.layers.Layer) {
  const model = tfl.sequential({
    name: 'checkpointed',
    layers: [
      tfl.layers.dense({ name: 'in', units: 4, inputShape: [3] }),
      create({
        name: 'bn',
        momentum: 0.9,
        epsilon: 0.01,
        betaRegularizer: 'l1l2',
        gammaConstraint: 'nonNeg',
      }),
      create({ name: 'plain', center: false, scale: false }),
    ],
  });
  randomizeWeights(model, 9);
  return model;
}

const x = randomTensor([5, 3], 1);
const predict = (model: tfl.LayersModel) => (model.predict(x) as tf.Tensor).dataSync();

// Order matters: the first test loads before anything registers our layer.
test('ours saves what stock saves; without register it loads as stock', async () => {
  const [ours, stock] = [build(batchNormalization), build(tfl.layers.batchNormalization)];
  const [fromOurs, fromStock] = [await savedModel(ours), await savedModel(stock)];
  expect(fromOurs.modelTopology).toEqual(fromStock.modelTopology);
  expect(fromOurs.weightSpecs).toEqual(fromStock.weightSpecs);
  expect(fromOurs.weightData).toEqual(fromStock.weightData);
  expect(fromOurs.weightSpecs!.map(({ name }) => name).slice(2, 6)).toEqual(
    ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((weight) => `bn/${weight}`),
  );
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(fromOurs));
  expect(loaded.layers[1]).not.toBeInstanceOf(BatchNormalization);
  expectClose(predict(loaded), predict(ours), 1e-5);
  expectClose(predict(convert(loaded)), predict(ours), 1e-6);
});

test('configurations survive a round trip', () => {
  const layer = batchNormalization({
    axis: 1,
    momentum: 0.5,
    epsilon: 0.1,
    center: false,
    gammaRegularizer: 'l1l2',
  });
  const config = layer.getConfig();
  const again = BatchNormalization.fromConfig(BatchNormalization, JSON.parse(JSON.stringify(config)));
  expect(again).toBeInstanceOf(BatchNormalization);
  expect(again.getConfig()).toEqual(config);
});

test('after register, stock checkpoints load as ours, also from topologies alone', async () => {
  const stock = build(tfl.layers.batchNormalization);
  const artifacts = await savedModel(stock);
  await import('./register.ts');
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  for (const layer of loaded.layers.slice(1)) expect(layer).toBeInstanceOf(BatchNormalization);
  expectClose(predict(loaded), predict(stock), 1e-5);
  const topology = JSON.parse(JSON.stringify(stock.toJSON(null, false)));
  expect((await tfl.models.modelFromJSON(topology)).layers[1]).toBeInstanceOf(BatchNormalization);
  // Only loading changed.
  expect(tfl.layers.batchNormalization()).not.toBeInstanceOf(BatchNormalization);
});

test('loads a topology as Keras writes it, its axis in a list', async () => {
  await import('./register.ts');
  const initializer = (className: string) => ({ class_name: className, config: {} });
  const config = {
    name: 'bn',
    trainable: true,
    dtype: 'float32',
    batch_input_shape: [null, 3, 4, 2],
    axis: [3],
    momentum: 0.95,
    epsilon: 0.002,
    center: true,
    scale: false,
    beta_initializer: initializer('Zeros'),
    gamma_initializer: initializer('Ones'),
    moving_mean_initializer: initializer('Zeros'),
    moving_variance_initializer: initializer('Ones'),
    beta_regularizer: null,
    gamma_regularizer: null,
    beta_constraint: null,
    gamma_constraint: null,
  };
  const layers = [{ class_name: 'BatchNormalization', config }];
  const model = await tfl.models.modelFromJSON({
    modelTopology: { model_config: { class_name: 'Sequential', config: { name: 'keras', layers } } },
  } as never);
  const layer = model.layers[0] as BatchNormalization;
  expect(layer).toBeInstanceOf(BatchNormalization);
  expect(layer.momentum).toBe(0.95);
  expect(channelAxis(layer)).toBe(3);
  expect(layer.movingMean.shape).toEqual([2]);
  const y = layer.apply(randomTensor([2, 3, 4, 2], 1), { training: true }) as tf.Tensor;
  const perChannel = tf.moments(y, [0, 1, 2]);
  for (const mean of perChannel.mean.dataSync()) expect(Math.abs(mean)).toBeLessThan(1e-5);
});
