// What the commands leave on the device: nothing.
import { readFile } from 'node:fs/promises';
import { writeModel } from '@rebatch/files/node';
import { convert } from '@rebatch/layers';
import { writeGraph } from '@rebatch/test-models/graphs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeLayers } from '../testing/models.ts';
import { laggingModel, type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { rebatch, rebatchJson } from '../testing/run-cli.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
  await rebatchJson('recalibrate', at('model'), at('photos'), '--out', at('fresh'));
  const graph = laggingModel();
  await writeModel(writeGraph(graph), at('graph'));
  graph.dispose();
  await rebatchJson('reference', at('graph'), at('photos'));
  await writeLayers(convert(laggingModel()), at('ours'));
});
afterAll(() => photos.remove());

test('nothing is left on the device by any command', async () => {
  const { numTensors } = tf.memory();
  for (const args of [
    ['inspect', at('model'), at('photos'), '--batch-size', '6'],
    ['compare', at('model'), at('fresh'), at('photos')],
    ['recalibrate', at('model'), at('photos'), '--overwrite', '--report', at('r.html')],
    ['adapt', at('model'), at('photos'), '--overwrite'],
    ['fold', at('model'), '--overwrite'],
    ['stock', at('ours'), '--overwrite'],
    ['adapt', at('graph'), at('photos'), '--overwrite', '--reference', at('graph.reference.json')],
    ['recalibrate', at('model'), at('nowhere')],
    ['recalibrate', at('graph'), at('photos')],
  ]) {
    await rebatch(...args);
    expect(tf.memory().numTensors, args.join(' ')).toBe(numTensors);
  }
  const page = await readFile(at('r.html'), 'utf8');
  expect(page.match(/src="data:image\/png;base64,/g)).toHaveLength(12);
  expect(page).toMatch(/after: (ants|bees|cats) \(\d+\.\d%\)/);
});
