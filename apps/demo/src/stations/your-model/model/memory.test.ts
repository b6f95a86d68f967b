// Models whose files are small, and which would take all memory where they are built or run.

import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { FileProblem } from '../files/file-problem.ts';
import type { ModelArtifacts } from '../files/read-model.ts';
import { withBoundedWeights } from './bounded-weights.ts';
import { checkBatch, MOST_VALUES, mostAtOnce } from './memory.ts';
import { artifactsOf, openModel } from './open-model.ts';

beforeAll(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
});

const { layers } = tfl;
const norm = (size: (number | null)[]) =>
  layers.batchNormalization({ name: 'bn', inputShape: size as number[] });

/** A model's files, with some words of its topology changed. */
async function changed(
  model: tfl.LayersModel,
  changes: readonly (readonly [string, string])[],
): Promise<ModelArtifacts> {
  const artifacts = await artifactsOf('model.json', model);
  model.dispose();
  let text = JSON.stringify(artifacts.json);
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  return { ...artifacts, json: JSON.parse(text) };
}

test('a dense layer on a large image is refused before its kernel is made, and nothing leaks', async () => {
  const small = tfl.sequential({
    layers: [norm([4, 4, 3]), layers.flatten({ name: 'f' }), layers.dense({ name: 'd', units: 8 })],
  });
  // 48 x 8 weights by the files, 1.3e8 by the topology.
  const artifacts = await changed(small, [['[null,4,4,3]', '[null,2364,2364,3]']]);
  const before = tf.memory();
  const error = await openModel(artifacts).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileProblem);
  expect((error as Error).message).toMatch(
    /‘kernel’ of its layer ‘d’ would be \[16765488, 8\].*files hold 404/,
  );
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
});

test('after a model was refused, others open as before', async () => {
  const { addWeight } = tfl.layers.Layer.prototype as unknown as { addWeight: unknown };
  await expect(
    withBoundedWeights(3, async () => layers.dense({ units: 4 }).build([null, 1])),
  ).rejects.toThrow(/files hold 3/);
  expect((tfl.layers.Layer.prototype as unknown as { addWeight: unknown }).addWeight).toBe(addWeight);
  const artifacts = await artifactsOf('a', tfl.sequential({ layers: [norm([4, 4, 3])] }));
  const model = await openModel(artifacts);
  expect(model.countParams()).toBe(12);
  model.dispose();
});

test('an image that a layer makes too large is refused when the model is opened', async () => {
  const up = tfl.sequential({
    layers: [norm([28, 28, 3]), layers.upSampling2d({ name: 'up', size: [2, 2] })],
  });
  const artifacts = await changed(up, [['"size":[2,2]', '"size":[400,400]']]);
  const before = tf.memory().numTensors;
  const error = await openModel(artifacts).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileProblem);
  // 28 x 400, squared, by 3.
  expect((error as Error).message).toMatch(/‘up’ makes 376,320,000 values of one image of 28 × 28/);
  expect(tf.memory().numTensors).toBe(before);
});

test('a batch may be as large as its largest layer allows', () => {
  const inner = tfl.sequential({
    layers: [layers.zeroPadding2d({ inputShape: [8, 8, 4], padding: [4, 4] })],
  });
  const model = tfl.sequential({ layers: [norm([8, 8, 4]), inner, layers.flatten()] });
  // 16 x 16 x 4 values.
  expect(mostAtOnce(model, [8, 8])).toBe(MOST_VALUES / 1024);
  expect(() => checkBatch(model, [8, 8], MOST_VALUES / 1024)).not.toThrow();
  expect(() => checkBatch(model, [8, 8], MOST_VALUES / 1024 + 1)).toThrow(
    /Choose a batch size of 262144 or less/,
  );
  model.dispose();
});

test('where the model takes any size, the size of the images counts', () => {
  const model = tfl.sequential({
    layers: [norm([null, null, 3]), layers.conv2d({ filters: 64, kernelSize: 1 })],
  });
  expect(mostAtOnce(model, [256, 128])).toBe(MOST_VALUES / (256 * 128 * 64));
  model.dispose();
});
