// Graphs in parts: in one go, with a checkpoint, on threads and by a queue, whatever batches they are built for.
import { join } from 'node:path';
import { writeModel } from '@rebatch/files/node';
import { hasRedis, RedisServer } from '@rebatch/redis';
import { writeGraph } from '@rebatch/test-models/graphs';
import { seededRandom } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import type { RepairOutput } from '../report/repair-report.ts';
import { float32, npy } from '../testing/arrays.ts';
import { weightsIn } from '../testing/models.ts';
import { inFolder, writeFiles } from '../testing/pictures.ts';
import { bundleCommand, runProcess } from '../testing/processes.ts';
import { contentsOf, rebatch, rebatchJson, rebatchWith } from '../testing/run-cli.ts';

const SAMPLES = 23;
const PIXELS = 6 * 6 * 3;

/** A convolution with a bias, which is left as it is beside batch norms that have their statistics, and two such. */
function graphOf(batch: number | null) {
  const kernel = (seed: number) => ({ kernelInitializer: tfl.initializers.glorotNormal({ seed }) });
  const conv = { filters: 4, kernelSize: 3, padding: 'same' as const };
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ ...conv, ...kernel(1), batchInputShape: [batch, 6, 6, 3], name: 'first' }),
      tfl.layers.reLU(),
      tfl.layers.conv2d({ ...conv, ...kernel(2), useBias: false, name: 'second' }),
      tfl.layers.batchNormalization({ name: 'bn1' }),
      tfl.layers.reLU(),
      tfl.layers.conv2d({ ...conv, ...kernel(3), useBias: false, name: 'third' }),
      tfl.layers.batchNormalization({ name: 'bn2' }),
      tfl.layers.reLU(),
      tfl.layers.globalAveragePooling2d({ name: 'pool' }),
      tfl.layers.dense({ units: 3, ...kernel(4), name: 'classes' }),
    ],
  });
  const artifacts = writeGraph(model, { batchNorms: 'kept' });
  model.dispose();
  return artifacts;
}

let removeBundle: () => Promise<void>;
let redis: RedisServer | undefined;
beforeAll(async () => {
  await startBackend('cpu');
  removeBundle = await bundleCommand();
  if (hasRedis()) redis = await RedisServer.start();
});
afterAll(async () => {
  await removeBundle();
  await redis?.remove();
});

/** A report without what only clocks know. */
function timeless({ report, data }: RepairOutput) {
  const layers = report.layers.map((layer) => ({ ...layer, milliseconds: 0 }));
  return { ...report, data, milliseconds: 0, layers };
}

test.each([
  [null, 'batch', 'all'],
  [null, 'layerwise', '10'],
  [4, 'batch', 'all'],
  [4, 'batch', '10'],
  [4, 'layerwise', 'all'],
  [4, 'layerwise', '10'],
] as const)(
  'a graph for batches of %s, mode %s, %s samples: however it is done, the same bits',
  (size, mode, samples) =>
    inFolder(async (folder) => {
      const model = join(folder, 'net');
      await writeModel(graphOf(size), model);
      const values = seededRandom(4).normals(SAMPLES * PIXELS, 0.4, 1.2);
      await writeFiles(folder, { 'x.npy': npy('<f4', [SAMPLES, 6, 6, 3], float32([...values])) });
      const common = ['--backend', 'cpu', '--batch-size', '5', '--overwrite', '--force'];
      const args = ['recalibrate', model, join(folder, 'x.npy'), ...common, '--mode', mode];
      args.push('--samples', samples);
      const result = async (output: RepairOutput) => ({
        report: timeless(output),
        weights: await weightsIn(`${model}-recalibrated`),
      });
      const expected = await result(await rebatchJson<RepairOutput>(...args));
      const changed = await weightsIn(model);
      expect(expected.weights).not.toEqual(changed);
      const checkpoint = ['--checkpoint', join(folder, 'run.checkpoint')];
      expect(await result(await rebatchJson<RepairOutput>(...args, ...checkpoint))).toEqual(expected);
      expect(Object.keys(await contentsOf(folder))).not.toContain('run.checkpoint');
      const { code, out, err } = await runProcess([...args, '--workers', '2', '--json']);
      expect(code, err).toBe(0);
      expect(await result(JSON.parse(out))).toEqual(expected);
      if (redis === undefined) return;
      const stop = new AbortController();
      const worker = rebatchWith(stop.signal, 'worker', '--queue', redis.url);
      const queue = ['--queue', redis.url, '--shard-batches', '2'];
      expect(await result(await rebatchJson<RepairOutput>(...args, ...queue))).toEqual(expected);
      stop.abort();
      await worker;
    }),
);

describe('what takes no part of a batch', () => {
  const write = async (folder: string, samples: number) => {
    await writeModel(graphOf(4), join(folder, 'net'));
    const values = seededRandom(4).normals(samples * PIXELS, 0.4, 1.2);
    await writeFiles(folder, { 'x.npy': npy('<f4', [samples, 6, 6, 3], float32([...values])) });
    return [join(folder, 'net'), join(folder, 'x.npy')] as const;
  };
  const few = ['--backend', 'cpu', '--samples', '10'];
  const part = (model: string) => ['--shard', '2/3', '--states', `${model}.json`];

  test.each([
    ['inspect', (...paths: string[]) => paths, 'report.samples'],
    ['adapt', (...paths: string[]) => [...paths, '--force'], 'report.samples'],
    ['reference', (...paths: string[]) => [...paths, '--force'], 'samples'],
    ['compare', (model: string, data: string) => [model, model, data], 'agreement.samples'],
    ['recalibrate', (model: string, data: string) => [model, data, '--force', ...part(model)], 'shard.of'],
  ])('gets whole ones: %s', (command, argsOf, place) =>
    inFolder(async (folder) => {
      const [model, data] = await write(folder, SAMPLES);
      const output = await rebatchJson<object>(command, ...argsOf(model, data), ...few);
      expect(output).toHaveProperty(place, 12);
    }),
  );

  test('and is refused where there is none', () =>
    inFolder(async (folder) => {
      const { code, err } = await rebatch('recalibrate', ...(await write(folder, 3)), '--backend', 'cpu');
      expect(err).toContain('was built for batches of 4 samples and takes no others, but there are 3.');
      expect(code).toBe(4);
    }));
});
