// What the page tells about photographs is so, on the files that ship with it.

import '@rebatch/kernels-wasm';
import { readFile } from 'node:fs/promises';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { photographsOf } from './load-sheet.ts';
import { PhotographLab, type References } from './photograph-lab.ts';
import { CLASSES, type PhotographOptions, READ, STREAM_PER_CLASS, WAYS, type Way } from './settings.ts';

const FOLDER = new URL('../../../../public/models/photographs/', import.meta.url);
const breath = { signal: new AbortController().signal, breathe: async () => {} };
let lab: PhotographLab;

beforeAll(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
  const [json, weights, references, sheet] = await Promise.all(
    ['model.json', 'weights.bin', 'references.json', 'sheet.png'].map((name) =>
      readFile(new URL(name, FOLDER)),
    ),
  );
  const { modelTopology, weightsManifest } = JSON.parse(String(json));
  const model = await tfl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology,
      weightSpecs: weightsManifest[0].weights,
      weightData: Uint8Array.from(weights!).buffer,
    }),
  );
  const { data, width, height } = PNG.sync.read(sheet!);
  lab = await PhotographLab.open(
    model,
    photographsOf(data, width, height),
    JSON.parse(String(references)) as References,
  );
});

afterAll(() => lab.dispose());

/** Accuracies before and after, in percent. */
async function accuracies(options: PhotographOptions): Promise<Record<Way | 'source', number>> {
  const read = await lab.read(options, breath);
  const to = await lab.stream(options, breath);
  const tensors = tf.memory().numTensors;
  const percent = async (way?: Way) =>
    100 *
    (await lab.reading(read, way === undefined ? undefined : { way, to, stream: options.stream }, breath))
      .accuracy;
  const found: Partial<Record<Way | 'source', number>> = { source: await percent() };
  for (const { value } of WAYS) found[value] = await percent(value);
  expect(await percent()).toBe(found.source);
  expect(tf.memory().numTensors).toBe(tensors);
  return found as Record<Way | 'source', number>;
}

test('photographs that are read and those that are adapted to are of all classes, and others', async () => {
  const clean = { corruption: 'none', severity: 3, stream: 'all' } as const;
  const [read, stream] = [await lab.read(clean, breath), await lab.stream(clean, breath)];
  expect(read.size).toBe(READ);
  expect(stream.size).toBe(CLASSES.length * STREAM_PER_CLASS);
  expect(new Set(read.labels).size).toBe(10);
  expect([...stream.labels.slice(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const keys = (images: Uint8Array, size: number) =>
    Array.from({ length: size }, (_, at) => String(images.subarray(3072 * at, 3072 * (at + 1))));
  const all = [...keys(read.images, read.size), ...keys(stream.images, stream.size)];
  expect(new Set(all).size).toBe(300);
  const ships = await lab.stream({ ...clean, stream: 'ship' }, breath);
  expect(new Set(ships.labels)).toEqual(new Set([CLASSES.indexOf('ship')]));
});

test('a stream of all classes brings back what blur takes, in each way', async () => {
  const { source, ...ways } = await accuracies({ corruption: 'defocus-blur', severity: 4, stream: 'all' });
  for (const accuracy of Object.values(ways)) expect(accuracy).toBeGreaterThan(source + 15);
});

test('a stream of one class misleads plain adapting; a large prior or a reference of that class holds', async () => {
  const { source, plain, prior, same } = await accuracies({
    corruption: 'none',
    severity: 3,
    stream: 'frog',
  });
  expect(source).toBeGreaterThan(80);
  expect(plain).toBeLessThan(source - 8);
  expect(prior).toBeGreaterThan(plain + 8);
  expect(same).toBeGreaterThan(plain + 8);
});

test('under a light fog it is better not to adapt than to adapt plainly to one class; relative to it, it pays', async () => {
  const { source, plain, same } = await accuracies({ corruption: 'fog', severity: 3, stream: 'frog' });
  expect(plain).toBeLessThan(source);
  expect(same).toBeGreaterThan(source + 3);
});

test('a sheet of another size is refused', () => {
  expect(() => photographsOf(new Uint8Array(4), 1, 1)).toThrow('has 1 x 1 pixels; 960 x 320 are right');
});
