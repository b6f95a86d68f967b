// Layers that choose their normalization batches are measured as they train: recalibrate in mode 'batch'.
import {
  type BatchNormalization,
  type BatchNormLayer,
  batchNormalization,
  batchNormLayers,
} from '@rebatch/layers';
import { recalibrate } from '@rebatch/recalibrate';
import { onEachBackend } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { assignGroups } from './ghost/assign-groups.ts';
import { groupOfEach } from './ghost/groups.test.support.ts';
import { ghostBatchNormalization, shuffled } from './index.ts';
import { seededRandom, stepSeed } from './random.ts';

const BATCH = [1, 2, 3, 4, 101, 102, 103, 104];
const EPSILON = 1e-3;
const plain = { epsilon: EPSILON, center: false, scale: false };

const momentsOf = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
};

/** The moments of what follows a layer that normalizes such groups of the batch, and a ReLU: in float64. */
function behind(groups: readonly (readonly number[])[]) {
  return momentsOf(
    groups.flatMap((group) => {
      const { mean, variance } = momentsOf(group);
      return group.map((value) => Math.max(0, (value - mean) / Math.sqrt(variance + EPSILON)));
    }),
  );
}

function twoLayers(first: tfl.layers.Layer, second: tfl.layers.Layer) {
  return tfl.sequential({ layers: [first, tfl.layers.reLU(), second] });
}

async function secondAfter(model: tfl.LayersModel) {
  const x = tf.tensor2d(BATCH, [8, 1]);
  await recalibrate(model, [x]);
  const { movingMean, movingVariance } = batchNormLayers(model).at(-1) as BatchNormLayer;
  return [movingMean, movingVariance].map((variable) => variable.read().dataSync()[0]!);
}

onEachBackend(() => {
  test('ghost layers, by their groups', async () => {
    const make = (config: object) => ghostBatchNormalization({ groups: 2, ...plain, ...config });
    const measured = await secondAfter(twoLayers(make({ inputShape: [1] }), make({})));
    const expected = behind([BATCH.slice(0, 4), BATCH.slice(4)]);
    expectClose(measured, [expected.mean, expected.variance], 1e-6);
    expectClose(measured, [0.447, 0.3], 1e-3);
  });

  test('groups of every other sample', async () => {
    const make = (config: object) =>
      ghostBatchNormalization({ groups: 2, assign: 'strided', ...plain, ...config });
    const measured = await secondAfter(twoLayers(make({ inputShape: [1] }), make({})));
    const expected = behind([0, 1].map((which) => BATCH.filter((_, i) => i % 2 === which)));
    expectClose(measured, [expected.mean, expected.variance], 1e-6);
  });

  test('random groups, as the next training step draws them, which is not used up', async () => {
    const make = (config: object) =>
      ghostBatchNormalization({ groups: 2, assign: 'random', seed: 4, ...plain, ...config });
    const first = make({ inputShape: [1] });
    const model = twoLayers(first, make({}));
    const { of } = first.normalizationBatches(8, 1);
    const expected = behind([0, 1].map((which) => BATCH.filter((_, i) => of![i] === which)));
    expectClose(await secondAfter(model), [expected.mean, expected.variance], 1e-6);
    expectClose(await secondAfter(model), [expected.mean, expected.variance], 1e-6);
    expect(first.normalizationBatches(8, 1).of).toEqual(of);
    model.predict(tf.ones([8, 1]));
    tf.tidy(() => void model.apply(tf.tensor2d(BATCH, [8, 1]), { training: true }));
    expect(first.normalizationBatches(8, 1).of).not.toEqual(of);
  });

  test('a shuffled layer, by the random groups of the next training step', async () => {
    const input = tfl.input({ shape: [1] });
    const normalized = shuffled(batchNormalization(plain), { groups: 2, seed: 3 }).apply(input);
    const outputs = batchNormalization(plain).apply(tfl.layers.reLU().apply(normalized));
    const model = tfl.model({ inputs: input, outputs: outputs as tfl.SymbolicTensor });
    const of = groupOfEach(8, assignGroups(8, { groups: 2 }, 'random', 1, stepSeed(3, 0)));
    const expected = behind([0, 1].map((which) => BATCH.filter((_, i) => of[i] === which)));
    expectClose(await secondAfter(model), [expected.mean, expected.variance], 1e-6);
    expectClose(await secondAfter(model), [expected.mean, expected.variance], 1e-6);
  });

  test('a shuffled block, by the runs of its shuffled samples', async () => {
    const block = twoLayers(batchNormalization({ ...plain, inputShape: [1] }), batchNormalization(plain));
    const input = tfl.input({ shape: [1] });
    const outputs = shuffled(block, { groups: 2, seed: 5 }).apply(input) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    const order = seededRandom(stepSeed(5, 0)).shuffle(Array.from({ length: 8 }, (_, i) => i));
    const shuffledBatch = order.map((sample) => BATCH[sample]!);
    const expected = behind([shuffledBatch.slice(0, 4), shuffledBatch.slice(4)]);
    expectClose(await secondAfter(model), [expected.mean, expected.variance], 1e-6);
    expect(
      batchNormLayers(model).map((layer) => (layer as BatchNormalization).normalizationBatchSize),
    ).toEqual([undefined, undefined]);
  });
});
