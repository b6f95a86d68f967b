// MobileNet v2 and a folder of JPEGs to recalibrate it on, as `rebatch recalibrate` does.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type MeasuringTask,
  measureWith,
  modelDigest,
  openData,
  readDescription,
  type WorkerPool,
} from '@rebatch/cli/~internal';
import { openModel, writeModel } from '@rebatch/files/node';
import { estimateFromShards } from '@rebatch/recalibrate/shards';
import { savedModel } from '@rebatch/test-models';
import type * as tfl from '@tensorflow/tfjs-layers';
import sharp from 'sharp';

/** Of the pictures that the model takes. */
export const SIDE = 224;
export const BATCH = 16;
/** Of a thousand samples and more that statistics need, as many as can be measured often. */
export const IMAGES = 256;
/** Photographs are larger than what a model takes. */
const PHOTO = { width: 320, height: 240 };

/** The new statistics of a model, measured by those; the model stays as it is. */
export function recalibrateBy(
  measurers: WorkerPool['measurers'],
  task: MeasuringTask,
  model: tfl.LayersModel,
) {
  const measured = measureWith(measurers, task, ({ name, reason }) => {
    throw new Error(`${name} ${reason}`);
  });
  return estimateFromShards(model, measured);
}

/** Writes the model and the pictures into a folder. @returns what is to be done with them. */
export async function makeTask(folder: string, model: tfl.LayersModel): Promise<MeasuringTask> {
  const photos = join(folder, 'photos');
  await mkdir(photos);
  for (let i = 0; i < IMAGES; i++) await writeFile(join(photos, `${i}.jpg`), await photo(i));
  const path = await writeModel(await savedModel(model), join(folder, 'model'));
  const data = readDescription({
    source: { kind: 'folder', path: photos },
    preprocessing: {
      ...{ size: [SIDE, SIDE], fit: 'cover', color: 'rgb', layout: 'nhwc' },
      ...{ scale: 1 / 127.5, mean: [1], std: [1] },
    },
    ...{ shuffle: 0, skipBad: false, maxPixels: 2 ** 24, sampleShape: null },
  });
  const opened = await openData(data);
  return {
    version: 1,
    model: { path, digest: modelDigest(await openModel(path)) },
    backend: 'wasm',
    data,
    fingerprint: await opened.fingerprint(),
    ...{ positions: IMAGES, batchSize: BATCH, mode: 'batch' },
  } as MeasuringTask;
}

/** Smooth shapes in color, as photographs have: noise would take JPEG longer than they do. */
function photo(seed: number): Promise<Buffer> {
  const { width, height } = PHOTO;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        const wave =
          Math.sin((x * (1 + c) + seed * 37) / 23) + Math.cos((y * (2 + (seed % 5)) + c * 11) / 31);
        pixels[at] = 128 + 60 * wave + ((x * y + seed) % 7);
      }
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}
