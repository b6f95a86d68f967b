// The whole detector, small, on the backend of the experiments: wasm has no kernels for the gradients of some ops.

import { DomainBatchNormalization, type Sharing } from '@rebatch/domains';
import '@rebatch/kernels-wasm';
import { loadDigits } from '@rebatch/digits';
import type { LabeledImages } from '@rebatch/images';
import { batchNormLayers } from '@rebatch/layers';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { copyTrainedWeights } from '../copy-trained-weights.ts';
import { anchorsOf } from './anchors.ts';
import { buildDetector, disposeDetector, type HeadNormalization } from './detector.ts';
import { trainDetector } from './detector-training.ts';
import { precisionOf } from './evaluate.ts';
import { levelShifts, recalibrateOnScenes } from './population.ts';
import { makeScene, type SceneSettings, sceneTensor } from './scenes.ts';

const levels = [
  { name: 'p3', stride: 4 },
  { name: 'p4', stride: 8 },
  { name: 'p5', stride: 16 },
];
const settings: SceneSettings = {
  size: 64,
  bands: [
    { size: [12, 16], count: [1, 2] },
    { size: [20, 28], count: [1, 1] },
    { size: [30, 40], count: [1, 1] },
  ],
};
const anchors = anchorsOf(levels, settings.size);
const layout = { anchors, levels, classes: 10 };
const SHARED: HeadNormalization = { train: 'shared', population: 'shared', affine: 'shared' };
const SHARINGS = [
  ['shared', 'shared'],
  ['shared', 'per-domain'],
  ['per-domain', 'shared'],
  ['per-domain', 'per-domain'],
] as const;
const context = { signal: new AbortController().signal, advance: () => {} };
const training = { seed: 1, batch: 4, steps: 4, learningRate: 0.005, warmup: 2 };

let digits: LabeledImages;
beforeAll(async () => {
  await tf.setBackend('wasm');
  digits = await loadDigits('t10k');
});

const scenesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => makeScene(digits, settings, 'test', i));

function detector(normalization: HeadNormalization, seed = 1, size = settings.size) {
  return buildDetector({
    seed,
    size,
    levels,
    classes: 10,
    backbone: [[4], [6], [8], [8]],
    channels: 8,
    headBlocks: 2,
    normalization,
  });
}

const values = (weights: readonly tfl.LayerVariable[]) =>
  weights.map((weight) => [...weight.read().dataSync()]);

test('every anchor is answered, and the head has a set of statistics for all levels or for each', () => {
  for (const [population, sets] of [
    ['shared', 1],
    ['per-domain', 3],
  ] as const) {
    const model = detector({ ...SHARED, population });
    expect(model.outputs.map(({ shape }) => shape)).toEqual([
      [null, anchors.length, 10],
      [null, anchors.length, 4],
    ]);
    const head = model.layers.filter((layer) => layer instanceof DomainBatchNormalization);
    expect(head.map((layer) => layer.layers.length)).toEqual([sets, sets]);
    expect(batchNormLayers(model)).toHaveLength(4 + 2 * sets);
    disposeDetector(model);
  }
});

test('the answers are in the order of the anchors', () => {
  const size = 128;
  const model = detector(SHARED, 1, size);
  // A spot right of and above the middle changes the answers around it.
  const [x, y] = [96, 32];
  const change = tf.tidy(() => {
    const plain = tf.buffer([1, size, size, 1]);
    const spot = tf.buffer([1, size, size, 1]);
    for (let i = -4; i < 4; i++) for (let j = -4; j < 4; j++) spot.set(3, 0, y + i, x + j, 0);
    const [a, b] = [plain, spot].map((image) => (model.apply(image.toTensor()) as tf.Tensor[])[0]!);
    return tf.sum(tf.abs(tf.sub(a!, b!)), -1).dataSync();
  });
  const all = anchorsOf(levels, size);
  expect(change).toHaveLength(all.length);
  for (const level of levels.keys()) {
    const own = [...all.entries()].filter(([, anchor]) => anchor.level === level);
    const total = own.reduce((sum, [i]) => sum + change[i]!, 0);
    const center = (axis: 'x' | 'y') =>
      own.reduce((sum, [i, anchor]) => sum + change[i]! * anchor[axis], 0) / total;
    expect(center('x')).toBeGreaterThan(size / 2 + 8);
    expect(center('y')).toBeLessThan(size / 2 - 8);
  }
  disposeDetector(model);
});

test.each(SHARINGS)(
  'training reaches every weight and lowers the loss (SGD %s, affine %s)',
  async (train, affine) => {
    const scenes = scenesOf(8);
    const model = detector({ train, population: train, affine });
    const before = values(model.trainableWeights);
    const losses = await trainDetector(
      model,
      scenes,
      layout,
      { ...training, batch: 8, steps: 12 },
      context,
      '',
    );
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
    const after = values(model.trainableWeights);
    expect(after).toHaveLength(before.length);
    for (const [i, weight] of after.entries()) expect(weight).not.toEqual(before[i]);
    disposeDetector(model);
  },
);

test('the seed decides the weights, whatever the normalization; and the same seed trains the same network', async () => {
  const [a, b, c] = [
    detector(SHARED),
    detector({ ...SHARED, population: 'per-domain' }),
    detector(SHARED, 2),
  ];
  expect(values(a.trainableWeights)).toEqual(values(b.trainableWeights));
  expect(values(a.trainableWeights)).not.toEqual(values(c.trainableWeights));
  for (const model of [a, b]) await trainDetector(model, scenesOf(8), layout, training, context, '');
  expect(values(a.trainableWeights)).toEqual(values(b.trainableWeights));
  for (const model of [a, b, c]) disposeDetector(model);
});

test('trained weights go to a detector with another choice of population statistics', async () => {
  for (const affine of ['shared', 'per-domain'] as const) {
    const from = detector({ ...SHARED, affine });
    const to = detector({ ...SHARED, affine, population: 'per-domain' }, 5);
    await trainDetector(from, scenesOf(8), layout, training, context, '');
    copyTrainedWeights(from, to);
    expect(values(to.trainableWeights)).toEqual(values(from.trainableWeights));
    const other = detector({ ...SHARED, affine: affine === 'shared' ? 'per-domain' : 'shared' });
    expect(() => copyTrainedWeights(from, other)).toThrow(/copyTrainedWeights: expected weights/);
    for (const model of [from, to, other]) disposeDetector(model);
  }
});

/** What the head's BN layers are applied to in training, level by level. */
function headInputs(model: tfl.LayersModel, x: tf.Tensor): tf.Tensor[][] {
  const head = model.layers.filter((layer) => layer instanceof DomainBatchNormalization);
  const seen: Record<string, tf.Tensor[]> = {};
  for (const layer of head) {
    const own = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => {
      // tf.layers calls it once per level, with the same inputs.
      seen[layer.name] ??= (inputs as tf.Tensor[]).map((x) => tf.keep(tf.clone(x)));
      return own(inputs, kwargs);
    };
  }
  model.apply(x, { training: true });
  for (const layer of head) Reflect.deleteProperty(layer, 'call');
  return head.map(({ name }) => seen[name]!);
}

test.each(SHARINGS)(
  'the population is measured in the network as it trains (SGD %s, population %s)',
  async (train: Sharing, population: Sharing) => {
    const scenes = scenesOf(6);
    const model = detector({ train, population, affine: 'shared' });
    await recalibrateOnScenes(model, scenes, scenes.length, 'batch', context.signal);
    const head = model.layers.filter((layer) => layer instanceof DomainBatchNormalization);
    const written = head.map(({ layers }) => layers.map((layer) => [...layer.movingMean.read().dataSync()]));
    tf.tidy(() => {
      const inputs = headInputs(model, sceneTensor(scenes));
      const expected = inputs.map((xs) => {
        const rows = xs.map((x) => tf.reshape(x, [-1, 8]));
        const sets = population === 'shared' ? [tf.concat(rows)] : rows;
        return sets.map((set) => [...tf.mean(set, 0).dataSync()]);
      });
      expect(written.map((sets) => sets.length)).toEqual(expected.map((sets) => sets.length));
      expectClose(written.flat(2), expected.flat(2), 1e-3);
      tf.dispose(inputs);
    });
    disposeDetector(model);
  },
);

test('levels are as far apart as their statistics say', async () => {
  const scenes = scenesOf(6);
  const models = [detector(SHARED), detector({ ...SHARED, population: 'per-domain' })] as const;
  for (const model of models) await recalibrateOnScenes(model, scenes, 6, 'batch', context.signal);
  const shifts = await levelShifts(...models);
  const head = models.map((model) =>
    model.layers.filter((layer) => layer instanceof DomainBatchNormalization),
  );
  const read = (variable: tfl.LayerVariable) => [...variable.read().dataSync()];
  const expected = [0, 1, 2].map((level) => {
    const rms = head[0]!.map((layer, block) => {
      const [all, own] = [layer.layers[0]!, head[1]![block]!.layers[level]!];
      const [mean, variance] = [read(all.movingMean), read(all.movingVariance)];
      const means = read(own.movingMean).map((m, c) => (m - mean[c]!) / Math.sqrt(variance[c]!));
      const variances = read(own.movingVariance).map((v, c) => Math.log(v / variance[c]!));
      return [means, variances].map((list) =>
        Math.sqrt(list.reduce((sum, v) => sum + v * v, 0) / list.length),
      );
    });
    return { mean: (rms[0]![0]! + rms[1]![0]!) / 2, variance: (rms[0]![1]! + rms[1]![1]!) / 2 };
  });
  expectClose(shifts.flatMap(Object.values), expected.flatMap(Object.values), 1e-4);
  for (const model of models) disposeDetector(model);
});

test('nothing is left of a detector, nor of training, recalibrating and measuring it', async () => {
  const scenes = scenesOf(8);
  await expectNoLeaks(tf, async () => {
    const model = detector({ train: 'shared', population: 'per-domain', affine: 'per-domain' });
    await trainDetector(model, scenes, layout, { ...training, steps: 2 }, context, '');
    await recalibrateOnScenes(model, scenes, 4, 'batch', context.signal);
    const options = { score: 0.05, overlap: 0.5, candidates: 20, detections: 10, signal: context.signal };
    await precisionOf(model, scenes, anchors, options);
    disposeDetector(model);
  });
});

test('an interruption ends training between steps, and measuring between batches', async () => {
  const model = detector(SHARED);
  const abort = new AbortController();
  let steps = 0;
  const stopping = {
    signal: abort.signal,
    advance: () => {
      if (++steps === 2) abort.abort(new Error('stop'));
    },
  };
  await expect(trainDetector(model, scenesOf(8), layout, training, stopping, '')).rejects.toThrow('stop');
  expect(steps).toBe(2);
  const options = { score: 0.05, overlap: 0.5, candidates: 20, detections: 10, signal: abort.signal };
  await expect(precisionOf(model, scenesOf(2), anchors, options)).rejects.toThrow('stop');
  disposeDetector(model);
});
