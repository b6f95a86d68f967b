// Sequences of which some steps only fill them up: those do not count in layers of ours, as in Keras 3.
import {
  type BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  NormalizationBatchError,
} from '@rebatch/layers';
import { onEachBackend, randomizeWeights } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { InsufficientDataError, type RecalibrationOptions, recalibrate } from './index.ts';

const { layers } = tfl;
const EPSILON = 1e-3;
const MODES = ['batch', 'layerwise'] as const;

/** Of two channels: the valid steps have means 5 and 6 and variances 8. */
const ISSUE = [
  [
    [1, 2],
    [3, 4],
    [5, 6],
    [0, 0],
  ],
  [
    [7, 8],
    [9, 10],
    [0, 0],
    [0, 0],
  ],
];

const plain = { epsilon: EPSILON, center: false, scale: false };

function statisticsOf(model: tfl.LayersModel) {
  return batchNormLayers(model).map(({ movingMean, movingVariance }) => ({
    mean: [...movingMean.read().dataSync()],
    variance: [...movingVariance.read().dataSync()],
  }));
}

/** Batches of sequences of one channel with 1 to `steps` valid steps, which are never 0. */
function sequences(seed: number, batches: number, samples: number, steps: number): number[][][] {
  const random = seededRandom(seed);
  return Array.from({ length: batches }, () =>
    Array.from({ length: samples }, () => {
      const length = random.integer(1, steps);
      return Array.from({ length: steps }, (_, step) => (step < length ? random.normal() * 2 + 3.5 : 0));
    }),
  );
}

const tensorOf = (batch: readonly (readonly number[])[]) =>
  tf.tensor3d(batch.map((sequence) => sequence.map((value) => [value])));

const momentsOf = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
};

const valid = (batch: readonly (readonly number[])[]) => batch.flat().filter((value) => value !== 0);
const relu = (value: number) => Math.max(0, value);

/** Masking, a batch normalization, a ReLU, another: the second sees what the first gives of the valid steps. */
function twoLayers(first: BatchNormalization, second: BatchNormalization) {
  return tfl.sequential({
    layers: [
      layers.masking({ inputShape: [6, 1] }),
      first,
      layers.activation({ activation: 'relu' }),
      second,
    ],
  });
}

onEachBackend(() => {
  test.each(MODES)("mode '%s': the valid steps alone, once a stock model is converted", async (mode) => {
    const model = tfl.sequential({
      layers: [layers.masking({ inputShape: [4, 2] }), layers.batchNormalization()],
    });
    const x = tf.tensor3d(ISSUE);
    const stock = await recalibrate(model, [x], { mode });
    expect(stock.layers[0]!.values).toBe(8);
    const [padded] = statisticsOf(model);
    expectClose(padded!.mean, [3.125, 3.75], 1e-5);
    expectClose(padded!.variance, [10.859375, 13.4375], 1e-5);

    const report = await recalibrate(convert(model), [x], { mode });
    expect(report.layers[0]!.values).toBe(5);
    const [own] = statisticsOf(model);
    expectClose(own!.mean, [5, 6], 1e-5);
    expectClose(own!.variance, [8, 8], 1e-5);
    x.dispose();
  });

  test("mode 'batch' measures as in training: groups of a batch, by their valid steps", async () => {
    const group = () => batchNormalization({ ...plain, normalizationBatchSize: 3 });
    const model = twoLayers(group(), group());
    const data = sequences(1, 3, 6, 6);
    await recalibrate(model, data.map(tensorOf));
    const groups = data.flatMap((batch) => [batch.slice(0, 3), batch.slice(3)]).map(valid);
    const behind = groups.flatMap((values) => {
      const { mean, variance } = momentsOf(values);
      return values.map((value) => relu((value - mean) / Math.sqrt(variance + EPSILON)));
    });
    for (const [i, values] of [groups.flat(), behind].entries()) {
      const { mean, variance } = momentsOf(values);
      expectClose(statisticsOf(model)[i]!.mean, [mean], 1e-5);
      expectClose(statisticsOf(model)[i]!.variance, [variance], 1e-5);
    }
  });

  test.each([
    { batches: 1, activationBytes: undefined },
    { batches: 4, activationBytes: undefined },
    { batches: 4, activationBytes: 0 },
  ])("mode 'layerwise', %o: behind the new statistics, whatever is kept", async ({ batches, ...options }) => {
    const model = twoLayers(batchNormalization(plain), batchNormalization(plain));
    const data = sequences(2, batches, 5, 6);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    await recalibrate(model, data.map(tensorOf), { mode: 'layerwise', ...given });
    const values = data.flatMap(valid);
    const first = momentsOf(values);
    const behind = values.map((value) => relu((value - first.mean) / Math.sqrt(first.variance + EPSILON)));
    for (const [i, { mean, variance }] of [first, momentsOf(behind)].entries()) {
      expectClose(statisticsOf(model)[i]!.mean, [mean], 1e-5);
      expectClose(statisticsOf(model)[i]!.variance, [variance], 1e-5);
    }
  });

  test.each(MODES)("mode '%s': keeps no tensors, and leaves out batches of nothing", async (mode) => {
    const model = twoLayers(batchNormalization(plain), batchNormalization(plain));
    randomizeWeights(model, 2);
    const data = [...sequences(3, 2, 4, 6).map(tensorOf), tf.zeros([2, 6, 1])];
    await recalibrate(model, data, { mode });
    const expected = momentsOf(sequences(3, 2, 4, 6).flatMap(valid));
    expectClose(statisticsOf(model)[0]!.mean, [expected.mean], 1e-5);
    expectClose(statisticsOf(model)[0]!.variance, [expected.variance], 1e-5);
    await expectNoLeaks(tf, () => recalibrate(model, data, { mode }));
    tf.dispose(data);
  });
});

describe('too little that counts', () => {
  const attempt = (x: tf.Tensor, options: RecalibrationOptions) => {
    const model = twoLayers(
      batchNormalization({ ...plain, name: 'first' }),
      batchNormalization({ ...plain, name: 'second' }),
    );
    const before = statisticsOf(model);
    return { done: recalibrate(model, [x, x], options), model, before };
  };

  test("mode 'batch': a single step that counts is an error that names layer and fix, unless it is wanted", async () => {
    await tf.setBackend('cpu');
    const x = tf.tensor3d([[[5], [0], [0], [0], [0], [0]]]);
    const { done, model, before } = attempt(x, {});
    await expect(done).rejects.toThrow(NormalizationBatchError);
    await expect(done).rejects.toThrow(/Layer 'first'.*singleValue: 'normalize'/);
    expect(statisticsOf(model)).toEqual(before);
    const wanted = attempt(x, { singleValue: 'normalize' });
    await wanted.done;
    expect(statisticsOf(wanted.model)[0]).toEqual({ mean: [5], variance: [0] });
  });

  test.each(MODES)("mode '%s': nothing at all leaves the model as it was", async (mode) => {
    await tf.setBackend('cpu');
    const { done, model, before } = attempt(tf.zeros([2, 6, 1]), { mode });
    if (mode === 'layerwise') await expect(done).rejects.toThrow(InsufficientDataError);
    else await done;
    expect(statisticsOf(model)).toEqual(before);
  });
});

test("one image of 1x1: mode 'batch' refuses it, does as the layer is set, or as it is told", async () => {
  await tf.setBackend('cpu');
  const images = [1, 3, 8].map((value) => tf.fill([1, 1, 1, 2], value));
  const build = (more: object) =>
    tfl.sequential({ layers: [batchNormalization({ ...more, name: 'bn', inputShape: [1, 1, 2] })] });
  const refused = build({});
  await expect(recalibrate(refused, images)).rejects.toThrow(
    /Layer 'bn', batch 0: .*at least 2 values.*singleValue: 'normalize'/,
  );
  for (const [model, options] of [
    [build({ singleValue: 'normalize' }), {}],
    [build({}), { singleValue: 'normalize' }],
    [
      tfl.sequential({ layers: [layers.batchNormalization({ inputShape: [1, 1, 2] })] }),
      { singleValue: 'normalize' },
    ],
  ] as [tfl.LayersModel, RecalibrationOptions][]) {
    await recalibrate(model, images, options);
    // Each image has no variance; all of them have, around their mean.
    expectClose(statisticsOf(model)[0]!.mean, [4, 4], 1e-6);
    expectClose(statisticsOf(model)[0]!.variance, [26 / 3, 26 / 3], 1e-6);
  }
  await expect(
    recalibrate(build({ singleValue: 'normalize' }), images, { singleValue: 'throw' }),
  ).rejects.toThrow(NormalizationBatchError);
  await expect(recalibrate(refused, images, { singleValue: 'beta' as never })).rejects.toThrow('singleValue');
});
