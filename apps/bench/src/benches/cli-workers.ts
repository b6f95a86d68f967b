// `rebatch recalibrate --workers`: what a second thread gains, and what decoding costs beside computing.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MeasuringTask,
  measureWith,
  modelDigest,
  openData,
  readDescription,
  startWorkers,
  type WorkerPool,
} from '@rebatch/cli/~internal';
import { openModel, writeModel } from '@rebatch/files/node';
import { estimateStatistics } from '@rebatch/recalibrate';
import { estimateFromShards } from '@rebatch/recalibrate/shards';
import { savedModel } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { formatShape, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';
import { buildMobilenetV2 } from '../mobilenet-v2.ts';

const SIDE = 224;
const BATCH = 16;
const IMAGES = 96;
/** Photographs are larger than what a model takes. */
const PHOTO = { width: 320, height: 240 };

export const cliWorkers: Bench = {
  name: 'cli-workers',
  summary:
    'MobileNet v2 recalibrated on a folder of JPEGs: two threads over one, and one over decoded tensors',
  cases: () => [
    onFolder('2 workers', 'one worker', 1.7, async ({ task, model, pools: [two, one] }) =>
      measure(
        { run: () => recalibrateBy(two!, task, model) },
        { run: () => recalibrateBy(one!, task, model) },
        { pairs: [5, 9], budgetMs: 60_000 },
      ),
    ),
    onFolder(
      '1 worker',
      'the same batches as tensors',
      1 / 1.15,
      async ({ task, model, tensors, pools: [, one] }) =>
        measure(
          { run: () => recalibrateBy(one!, task, model) },
          { run: () => estimateStatistics(model, tensors) },
          { pairs: [5, 9], budgetMs: 60_000 },
        ),
    ),
  ],
};

interface Setting {
  readonly task: MeasuringTask;
  readonly model: tfl.LayersModel;
  readonly tensors: readonly tf.Tensor[];
  /** Of two threads, and of one. */
  readonly pools: readonly WorkerPool[];
}

function recalibrateBy({ measurers }: WorkerPool, task: MeasuringTask, model: tfl.LayersModel) {
  const measured = measureWith(measurers, task, ({ name, reason }) => {
    throw new Error(`${name} ${reason}`);
  });
  return estimateFromShards(model, measured);
}

function onFolder(
  name: string,
  peer: string,
  target: number,
  run: (setting: Setting) => ReturnType<BenchCase['measure']>,
): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape([IMAGES, SIDE, SIDE, 3]),
    peer,
    target,
    measure: async () => {
      await useBackend('wasm');
      const folder = await mkdtemp(join(tmpdir(), 'rebatch-bench-'));
      const model = buildMobilenetV2(SIDE);
      const pools: WorkerPool[] = [];
      const tensors: tf.Tensor[] = [];
      try {
        const task = await makeTask(folder, model);
        const data = await openData(task.data);
        for await (const { inputs } of data.read({ from: 0, to: IMAGES, batchSize: BATCH })) {
          tensors.push(tf.tensor(inputs[0]!.values, [...inputs[0]!.shape]));
        }
        pools.push(await startWorkers(2, task), await startWorkers(1, task));
        await checkSame({ task, model, tensors, pools });
        return await run({ task, model, tensors, pools });
      } finally {
        for (const pool of pools) await pool.close();
        tf.dispose(tensors);
        model.dispose();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A peer is timed only after it has come to the same result: here to the same bits. */
async function checkSame({ task, model, tensors, pools }: Setting): Promise<void> {
  const expected = await estimateStatistics(model, tensors);
  for (const pool of pools) {
    const { statistics } = await recalibrateBy(pool, task, model);
    const same = statistics.every(({ mean, variance }, i) => {
      const other = expected.statistics[i]!;
      return (
        mean.every((value, c) => value === other.mean[c]) &&
        variance.every((value, c) => value === other.variance[c])
      );
    });
    if (!same) throw new Error('Threads came to other statistics than one loop over tensors.');
  }
}

async function makeTask(folder: string, model: tfl.LayersModel): Promise<MeasuringTask> {
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
