// The station's tasks in Node, on files as tf.layers itself writes them.

import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../lab/task.ts';
import { given } from './files/files.test.support.ts';
import { readModelFiles } from './files/read-model.ts';
import type { ImageSet } from './images/image-set.ts';
import { artifactsOf, openModel } from './model/open-model.ts';
import { currentModel, keepImages, release } from './session.ts';
import type { GivenFile, RepairOptions } from './settings.ts';
import { tasks } from './tasks.ts';

const run = (): Run<null, never> => ({
  signal: new AbortController().signal,
  live: null,
  emit() {},
  progress() {},
  breathe: async () => {},
  checkpoint: async () => {},
});

beforeAll(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
});

afterEach(() => release());

/** The files of a stock model, with its layers in the format that tf.layers saves. */
async function filesOf(layers: tfl.layers.Layer[]): Promise<GivenFile[]> {
  const model = tfl.sequential({ layers });
  const { json, data } = await artifactsOf('model.json', model);
  model.dispose();
  const weightsManifest = [{ paths: ['weights.bin'], weights: json.weightsManifest[0]!.weights }];
  return [given('model.json', JSON.stringify({ ...json, weightsManifest })), given('weights.bin', data)];
}

const convolution = (name: string, seed: number, inputShape?: number[]) =>
  tfl.layers.conv2d({
    name,
    filters: 4,
    kernelSize: 3,
    kernelInitializer: tfl.initializers.glorotUniform({ seed }),
    ...(inputShape ? { inputShape } : {}),
  });
const classifier = () => [
  convolution('c1', 1, [6, 6, 3]),
  tfl.layers.batchNormalization({ name: 'first' }),
  tfl.layers.reLU({ name: 'r1' }),
  convolution('c2', 2),
  tfl.layers.batchNormalization({ name: 'second', scale: false }),
  tfl.layers.flatten({ name: 'f' }),
  tfl.layers.dense({
    name: 'd',
    units: 2,
    activation: 'softmax',
    kernelInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
  }),
];

function someImages(count: number): ImageSet {
  const values = tf.tidy(() => tf.randomUniform([count * 108], 0, 256, 'int32', 5).dataSync());
  return {
    count,
    size: [6, 6, 3],
    pixels: Uint8Array.from(values),
    classes: Int32Array.from({ length: count }, (_, i) => i % 2),
    paths: [],
  };
}

const OPTIONS: RepairOptions = {
  scaling: '0..255',
  batchSize: 8,
  labels: true,
  mode: 'layerwise',
  samples: 1_000,
  prior: 0,
};

test('a stock model is opened, inspected, repaired and saved, and the rest of it stays bit by bit', async () => {
  const files = await filesOf(classifier());
  const before = tf.memory().numTensors;
  const info = await tasks.open(files, run());
  expect(info).toMatchObject({
    name: 'model.json',
    layers: 7,
    input: [6, 6, 3],
    classes: 2,
    batchNormLayers: [
      { name: 'first', channels: 4 },
      { name: 'second', channels: 4 },
    ],
  });
  keepImages(someImages(80));

  const report = await tasks.inspect({ ...OPTIONS, which: 'original' }, run());
  expect(report.advice[0]?.advice).toBe('recalibrate');
  expect(report.errors).not.toBeNull();

  const repair = await tasks.repair(OPTIONS, run());
  expect(repair).toMatchObject({ samples: 60, held: 20, apart: true });
  const largest = (values: Float64Array) => Math.max(...values);
  for (const { before: old, after, variances } of repair.layers) {
    // The stored mean is 0 and the variance 1, of values up to 255.
    expect(largest(after)).toBeLessThan(0.5);
    expect(largest(old)).toBeGreaterThan(3 * largest(after));
    expect(variances.after).toBeLessThan(variances.before / 3);
  }
  const repaired = await tasks.inspect({ ...OPTIONS, which: 'repaired' }, run());
  expect(repaired.layers[0]!.shift!.mean.rms).toBeLessThan(0.1 * report.layers[0]!.shift!.mean.rms);

  const { json, weights } = await tasks.save(null, run());
  const saved = [given('model.json', json), given('model.weights.bin', weights)];
  const [old, fresh] = await Promise.all([readModelFiles(files), readModelFiles(saved)]);
  expect(fresh.json.modelTopology).toEqual(old.json.modelTopology);
  // It loads again, with the statistics that were measured and all other weights as they were.
  const again = await openModel(fresh);
  const original = await openModel(old);
  const model = currentModel().model as tfl.LayersModel;
  again.weights.forEach((weight, i) => {
    const isStatistic = /moving_/.test(weight.originalName);
    const expected = (isStatistic ? model : original).weights[i]!.read().dataSync();
    expect([...weight.read().dataSync()], weight.originalName).toEqual([...expected]);
    if (isStatistic) expect([...expected]).not.toEqual([...original.weights[i]!.read().dataSync()]);
  });
  again.dispose();
  original.dispose();
  release();
  expect(tf.memory().numTensors).toBe(before);
});

test('repairing again starts from the original, and a prior keeps some of it', async () => {
  await tasks.open(await filesOf(classifier()), run());
  keepImages(someImages(80));
  const once = await tasks.repair(OPTIONS, run());
  expect(await tasks.repair(OPTIONS, run())).toEqual(once);
  const blended = await tasks.repair({ ...OPTIONS, prior: 60 }, run());
  expect(blended.layers[0]!.after[0]).toBeGreaterThan(once.layers[0]!.after[0]!);
});

test('few images are warned of, and where there are batches, what they say of themselves', async () => {
  await tasks.open(await filesOf(classifier()), run());
  keepImages(someImages(80));
  const few = await tasks.repair({ ...OPTIONS, mode: 'layerwise' }, run());
  expect(few.warnings).toEqual([
    expect.stringMatching(/^The new statistics are of 60 images, which is not many/),
  ]);
  keepImages(someImages(200));
  expect((await tasks.repair({ ...OPTIONS, mode: 'layerwise' }, run())).warnings).toEqual([]);
  keepImages(someImages(10));
  const batches = await tasks.repair({ ...OPTIONS, mode: 'batch', batchSize: 4 }, run());
  expect(batches.warnings[0]).toMatch(/^The statistics are uncertain: from 10 samples in 3 batches/);
});

test('with few images none are held out', async () => {
  await tasks.open(await filesOf(classifier()), run());
  keepImages(someImages(10));
  expect(await tasks.repair(OPTIONS, run())).toMatchObject({ samples: 10, held: 10, apart: false });
});

test('layer by layer does not take a forward for each layer', async () => {
  const block = (i: number) => [
    convolution(`deep${i}`, i, i === 0 ? [30, 30, 3] : undefined),
    tfl.layers.batchNormalization({ name: `bn${i}` }),
  ];
  const all = Array.from({ length: 12 }, (_, i) => block(i)).flat();
  const head = [tfl.layers.flatten({ name: 'flat' }), tfl.layers.dense({ name: 'out', units: 2 })];
  await tasks.open(await filesOf([...all, ...head]), run());
  const pixels = Uint8Array.from({ length: 48 * 2700 }, (_, i) => (7 * i) % 251);
  keepImages({ count: 48, size: [30, 30, 3], pixels, classes: undefined, paths: [] });
  const first = (currentModel().model as tfl.LayersModel).getLayer('deep0');
  const { call } = first;
  let forwards = 0;
  first.call = (...given) => {
    forwards++;
    return call.apply(first, given);
  };
  const { layers } = await tasks.repair(OPTIONS, run());
  expect(layers).toHaveLength(12);
  // Of two sets of images: those that are measured, and those held out. Layer after layer it would be 24.
  expect(forwards).toBeLessThanOrEqual(4);
});

test('a repair that is cancelled leaves the statistics, and nothing leaks', async () => {
  await tasks.open(await filesOf(classifier()), run());
  keepImages(someImages(80));
  const model = currentModel().model as tfl.LayersModel;
  const statistics = () => model.weights.map((weight) => [...weight.read().dataSync()]);
  const before = statistics();
  const cancelled = async () => {
    const abort = new AbortController();
    const progress = () => abort.abort(new DOMException('Cancelled.', 'AbortError'));
    await expect(tasks.repair(OPTIONS, { ...run(), signal: abort.signal, progress })).rejects.toThrow(
      'Cancelled.',
    );
    expect(statistics()).toEqual(before);
    return tf.memory().numTensors;
  };
  // Layers keep their statistics as their first forward needs them.
  const tensors = await cancelled();
  expect(await cancelled()).toBe(tensors);
});

test.each([
  ['no batch normalization', () => [convolution('c1', 1, [6, 6, 3])], /no batch normalization layer/],
  [
    'an input that is no image',
    () => [tfl.layers.dense({ units: 2, inputShape: [8] }), tfl.layers.batchNormalization()],
    /one input of images.*\[\?, 8\]/,
  ],
  [
    'too many channels',
    () => [tfl.layers.batchNormalization({ inputShape: [4, 4, 7] })],
    /1, 3 or 4 channels.*\[\?, 4, 4, 7\]/,
  ],
])('%s is explained, and the model is gone again', async (_, layers, message) => {
  const files = await filesOf(layers());
  const before = tf.memory().numTensors;
  await expect(tasks.open(files, run())).rejects.toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
});

test('a layer that nobody knows, and a topology of Keras 3, are explained', async () => {
  const [json, weights] = (await filesOf(classifier())) as [GivenFile, GivenFile];
  const text = await json.file.text();
  const opened = (changed: string) => tasks.open([given('model.json', changed), weights], run());
  await expect(opened(text.replaceAll('"ReLU"', '"MyOwn"'))).rejects.toThrow(/MyOwn.*layer of its own code/s);
  const keras3 = text.replaceAll('"batch_input_shape"', '"batch_shape"');
  expect(keras3).not.toBe(text);
  await expect(opened(keras3)).rejects.toThrow(/Keras 3/);
});

test('without a model or images it says what to do', async () => {
  await expect(tasks.images([], run())).rejects.toThrow(/drop its files again/);
  await tasks.open(await filesOf(classifier()), run());
  await expect(tasks.repair(OPTIONS, run())).rejects.toThrow(/no images/);
});
