import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  type BatchNormalizationConfig,
  batchNormalization,
  convert,
  NormalizationBatchError,
} from './index.ts';

type Create = (config: BatchNormalizationConfig) => tfl.layers.Layer;
const stock: Create = tfl.layers.batchNormalization;
const ours: Create = batchNormalization;

function dense(create: Create, config: BatchNormalizationConfig = {}): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 8, inputShape: [5] }),
      create(config),
      tfl.layers.reLU(),
      tfl.layers.dense({ units: 6 }),
      create(config),
      tfl.layers.dense({ units: 1 }),
    ],
  });
  return prepared(model);
}

function convolutional(create: Create): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 2] }),
      create({}),
      tfl.layers.reLU(),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 1 }),
    ],
  });
  return prepared(model);
}

/** With the same weights and the same loss for each model of an architecture. */
function prepared(model: tfl.LayersModel): tfl.LayersModel {
  randomizeWeights(model, 5);
  model.compile({ optimizer: tf.train.momentum(0.002, 0.9), loss: 'meanSquaredError' });
  return model;
}

async function fit(model: tfl.LayersModel, inputShape: number[], epochs = 3) {
  const [x, y] = [randomTensor([36, ...inputShape], 1), randomTensor([36, 1], 2)];
  const [vx, vy] = [randomTensor([10, ...inputShape], 3), randomTensor([10, 1], 4)];
  const { history } = await model.fit(x, y, {
    epochs,
    batchSize: 12,
    shuffle: false,
    validationData: [vx, vy],
    verbose: 0,
  });
  tf.dispose([x, y, vx, vy]);
  return { loss: history.loss as number[], validation: history.val_loss as number[] };
}

/** Trains both and expects the same losses, weights and moving statistics. */
async function expectSameTraining(build: (create: Create) => tfl.LayersModel, inputShape: number[]) {
  const [expectedModel, model] = [build(stock), build(ours)];
  const before = weightValues(model);
  const expected = await fit(expectedModel, inputShape);
  const actual = await fit(model, inputShape);
  expectClose(actual.loss, expected.loss, 1e-5, 'loss');
  expectClose(actual.validation, expected.validation, 1e-5, 'validation loss');
  const trained = weightValues(model);
  weightValues(expectedModel).forEach((weight, i) => {
    expectClose(trained[i]!, weight, 1e-5, model.weights[i]!.name);
  });
  return { model, before, trained };
}

onEachBackend(() => {
  test('fit gives the weights, statistics and losses of the stock layer', async () => {
    const { before, trained } = await expectSameTraining(dense, [5]);
    expect(trained).not.toEqual(before);
  });

  test('so it does with regularizers, constraints, initializers and momentum', async () => {
    const config: BatchNormalizationConfig = {
      gammaRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
      betaRegularizer: tfl.regularizers.l1({ l1: 0.1 }),
      gammaConstraint: tfl.constraints.maxNorm({ maxValue: 0.9, axis: 0 }),
      betaConstraint: tfl.constraints.nonNeg(),
      movingVarianceInitializer: 'zeros',
      momentum: 0.6,
    };
    const { trained } = await expectSameTraining((create) => dense(create, config), [5]);
    // Weights 2 and 3 are the first gamma and beta.
    expect(Math.hypot(...trained[2]!)).toBeLessThan(0.9 + 1e-5);
    expect(Math.min(...trained[3]!)).toBeGreaterThanOrEqual(0);
  });

  test('so it does with trainable = false, which holds the affine weights alone', async () => {
    const frozen = (create: Create) => {
      const model = dense(create);
      model.layers[1]!.trainable = false;
      return prepared(model);
    };
    const { model } = await expectSameTraining(frozen, [5]);
    const [before, after] = [frozen(ours), model].map(({ layers }) => weightValues(layers[1]!));
    // In the order gamma, beta, moving mean, moving variance.
    const isSame = after!.map((weight, i) => weight.every((value, k) => value === before![i]![k]));
    expect(isSame).toEqual([true, true, false, false]);
  });

  test('a fit step keeps no tensors', async () => {
    const model = dense(ours);
    const [x, y] = [randomTensor([12, 5], 1), randomTensor([12, 1], 2)];
    await model.trainOnBatch(x, y);
    const before = tf.memory().numTensors;
    for (let step = 0; step < 3; step++) await model.trainOnBatch(x, y);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, y]);
  });

  test('trains without gamma or beta, where the stock layer throws', async () => {
    for (const config of [{ center: false }, { scale: false }, { center: false, scale: false }]) {
      const { loss } = await fit(dense(ours, config), [5], 8);
      expect(loss.at(-1)!).toBeLessThan(loss[0]!);
    }
    await expect(fit(dense(stock, { center: false }), [5])).rejects.toThrow();
  });

  test('a last batch of one sample stops a fit with an error that names the layer', async () => {
    const model = convert(dense(stock));
    const [x, y] = [randomTensor([9, 5], 1), randomTensor([9, 1], 2)];
    const run = model.fit(x, y, { batchSize: 8, shuffle: false, verbose: 0 });
    await expect(run).rejects.toThrow(NormalizationBatchError);
    tf.dispose([x, y]);
  });
});

test('a convolutional network trains as with the stock layer (on cpu)', async () => {
  await tf.setBackend('cpu');
  await expectSameTraining(convolutional, [6, 6, 2]);
});
