// Converted graphs through the station's tasks, in Node.

import '@rebatch/kernels-wasm';
import { writeGraph } from '@rebatch/test-models/graphs';
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { fakeRun } from '../../testing/fake-run.ts';
import { given } from './files/files.test.support.ts';
import { filesOf, network } from './graphs.test.support.ts';
import { type ImageSet, inputsOf } from './images/image-set.ts';
import { outputOf } from './model/image-model.ts';
import { currentModel, keepImages, release } from './session.ts';
import type { RepairOptions, SavedModel } from './settings.ts';
import { tasks } from './tasks.ts';

const OPTIONS: RepairOptions = {
  ...{ scaling: '0..1', batchSize: 16, labels: true, mode: 'layerwise', samples: 1_000, prior: 0 },
};
const run = () => fakeRun<null, never>(null);

beforeAll(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
});

afterEach(() => release());

const savedFiles = ({ json, weights }: SavedModel) => [
  given('model.json', json),
  given('model.weights.bin', weights),
];

/** Images of two classes; darker and of less contrast where it is asked for. */
function images(count: number, seed: number, dark: boolean): ImageSet {
  const random = seededRandom(seed);
  const length = 12 * 12 * 3;
  const pixels = Uint8Array.from({ length: count * length }, (_, at) => {
    const image = Math.floor(at / length);
    const left = Math.floor(at / 3) % 12 < 6;
    const value = 90 + 60 * random.uniform() + ((image % 2 === 0) === left ? 60 : 0);
    return dark ? value / 3 : value;
  });
  return {
    count,
    size: [12, 12, 3],
    pixels,
    classes: Int32Array.from({ length: count }, (_, at) => at % 2),
    paths: Array.from({ length: count }, (_, at) => `${at}.png`),
  };
}

const outputs = (set: ImageSet) =>
  tf.tidy(
    () => outputOf(currentModel().model, inputsOf(set, [0, 1, 2, 3], '0..1')).arraySync() as number[][],
  );

test('a folded graph is adapted relative to a reference, inspected, saved, and opens again', async () => {
  const layers = network();
  const files = filesOf(writeGraph(layers));
  layers.dispose();
  const info = await tasks.open(files, run());
  // Without the head, which says the classes.
  expect(info).toMatchObject({
    kind: 'graph',
    needsReference: true,
    batchNormLayers: [{ name: 'bn' }, { name: 'bn2' }],
    input: [12, 12, 3],
    classes: 2,
  });
  const [known, dark] = [images(40, 1, false), images(80, 2, true)];
  const original = outputs(known);
  keepImages(dark);
  await expect(tasks.repair(OPTIONS, run())).rejects.toThrow('choose some reference images');
  await expect(tasks.inspect({ ...OPTIONS, which: 'original' }, run())).rejects.toThrow('reference images');

  keepImages(dark, known);
  const report = await tasks.inspect({ ...OPTIONS, which: 'original' }, run());
  expect(report.reference).toEqual({ samples: 40 });
  expect(report.layers.map(({ drift }) => drift!.mean.rms > 0.5)).toEqual([true, true]);
  expect(outputs(known)).toEqual(original);

  const repair = await tasks.repair(OPTIONS, run());
  expect(repair).toMatchObject({ samples: 60, held: 20, apart: true });
  for (const { before, after, variances } of repair.layers) {
    expect(Math.max(...before)).toBeGreaterThan(0.5);
    expect(Math.max(...after)).toBeLessThan(0.2);
    expect(variances.after).toBeLessThan(0.5 * variances.before);
  }
  const adapted = outputs(dark);
  const saved = await tasks.save(null, run());
  expect(JSON.parse(saved.json)).toMatchObject({ format: 'graph-model' });

  const again = await tasks.open(savedFiles(saved), run());
  expect(again.kind).toBe('graph');
  outputs(dark).forEach((row, i) => {
    row.forEach((value, j) => {
      expect(value).toBeCloseTo(adapted[i]![j]!, 3);
    });
  });
});

test('a graph whose batch norms were left is recalibrated as layers are, without a reference', async () => {
  const layers = network();
  const files = filesOf(writeGraph(layers, { batchNorms: 'kept' }));
  layers.dispose();
  const info = await tasks.open(files, run());
  expect(info).toMatchObject({ needsReference: false, batchNormLayers: [{ name: 'bn' }, { name: 'bn2' }] });
  keepImages(images(80, 2, true));
  const repair = await tasks.repair(OPTIONS, run());
  for (const { before, after } of repair.layers) {
    expect(Math.max(...after)).toBeLessThan(0.3 * Math.max(...before));
  }
  const saved = await tasks.save(null, run());
  await tasks.open(savedFiles(saved), run());
});

test('an adaptation that is cancelled leaves the model, and nothing leaks', async () => {
  const layers = network();
  await tasks.open(filesOf(writeGraph(layers)), run());
  layers.dispose();
  keepImages(images(80, 2, true), images(40, 1, false));
  const before = outputs(images(4, 3, true));
  const tensors = tf.memory().numTensors;
  const cancelled = run();
  cancelled.progress = (_done, _total, what) => {
    if (what.startsWith('measuring the images')) cancelled.abort();
  };
  await expect(tasks.repair(OPTIONS, cancelled)).rejects.toThrow('Cancelled.');
  expect(outputs(images(4, 3, true))).toEqual(before);
  expect(tf.memory().numTensors).toBe(tensors);
});

test('a graph of something else is explained', async () => {
  const node = [
    {
      name: 'x',
      op: 'Placeholder',
      attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [{ size: '-1' }, { size: '4' }] } } },
    },
    { name: 'y', op: 'Relu', input: ['x'] },
  ];
  const files = filesOf({
    modelTopology: { node, versions: {} },
    weightSpecs: [],
    weightData: new ArrayBuffer(0),
  });
  await expect(tasks.open(files, run())).rejects.toThrow('is a graph model that cannot be used here');
});
