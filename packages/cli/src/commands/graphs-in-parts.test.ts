// Graphs in parts: in one go, with a checkpoint, on threads and by a queue, whatever batches they are built for.
import { readFile } from 'node:fs/promises';
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
import { inFolder, plain, writeFiles } from '../testing/pictures.ts';
import { bundleCommand, runProcess } from '../testing/processes.ts';
import { contentsOf, rebatch, rebatchJson, rebatchWith, timeless } from '../testing/run-cli.ts';

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
        data: output.data,
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

  test('loses those of which something cannot be read, whole: as data that never had them', () =>
    inFolder(async (folder) => {
      const [model, data] = await write(folder, SAMPLES);
      // In the second of five whole batches, and behind all of them.
      const values = [...seededRandom(4).normals(SAMPLES * PIXELS, 0.4, 1.2)];
      const without = values.toSpliced(4 * PIXELS, 4 * PIXELS);
      values[6 * PIXELS + 5] = Number.NaN;
      values[21 * PIXELS] = Number.NaN;
      await writeFiles(folder, {
        'x.npy': npy('<f4', [SAMPLES, 6, 6, 3], float32(values)),
        'less.npy': npy('<f4', [SAMPLES - 4, 6, 6, 3], float32(without)),
      });
      const common = ['--backend', 'cpu', '--no-shuffle', '--force', '--skip-bad'];
      const run = async (path: string, ...args: string[]) => {
        const output = await rebatchJson<RepairOutput>(
          ...['recalibrate', model, path, ...common, '--overwrite', ...args],
        );
        return { output, weights: await weightsIn(`${model}-recalibrated`) };
      };
      for (const mode of ['batch', 'layerwise']) {
        const expected = await run(join(folder, 'less.npy'), '--mode', mode);
        const found = await run(data, '--mode', mode);
        expect(found.weights).toEqual(expected.weights);
        expect(found.output.report.samples).toBe(16);
        expect(found.output.data.bad.map(({ position, batchOf }) => [position, batchOf])).toEqual([
          [4, 4],
          [5, 4],
          [6, undefined],
          [7, 4],
        ]);
        const parts = ['--mode', mode, '--checkpoint', join(folder, 'run.checkpoint')];
        const inParts = await run(data, ...parts);
        expect(inParts.weights).toEqual(expected.weights);
        expect(inParts.output.data.bad).toEqual(found.output.data.bad);
        const threads = [model, data, ...common, '--overwrite', '--mode', mode, '--workers', '2', '--json'];
        const ended = await runProcess(['recalibrate', ...threads]);
        expect(JSON.parse(ended.out).data.bad).toEqual(found.output.data.bad);
        expect(await weightsIn(`${model}-recalibrated`)).toEqual(expected.weights);
      }
      const said = await rebatch(
        'compare',
        model,
        `${model}-recalibrated`,
        data,
        ...common.slice(0, 3),
        '--skip-bad',
      );
      expect(said.code).toBe(0);
      expect(said.out).toContain(
        'Left out: 1 that could not be read.\n  sample 6 of x.npy has NaN at value 5\n' +
          'Left out with them: 3 in the same batches, as the model takes batches of 4 alone.\n',
      );
      expect(said.out).toContain(' of 16 samples.');
      for (const part of ['1', '2'])
        await rebatchJson(
          ...[
            'recalibrate',
            model,
            data,
            ...common,
            '--shard',
            `${part}/2`,
            '--states',
            `${model}-${part}.json`,
          ],
        );
      const merged = await rebatchJson<{ samples: number; bad: unknown[] }>(
        ...[
          'merge',
          model,
          `${model}-1.json`,
          `${model}-2.json`,
          '--out',
          `${model}-merged`,
          '--backend',
          'cpu',
        ],
      );
      expect([merged.samples, merged.bad.length]).toEqual([16, 4]);
      // One that takes any batch first gives the other what is left.
      await writeModel(graphOf(null), join(folder, 'any'));
      const other = await rebatch(
        ...[
          'compare',
          join(folder, 'any'),
          model,
          data,
          '--samples',
          '20',
          '--batch-size',
          '4',
          ...common.slice(0, 2),
        ],
        '--skip-bad',
      );
      expect([other.code, other.err]).toEqual([
        3,
        expect.stringMatching(/takes batches of 4 alone.*Name .*net first/),
      ]);
    }));

  test('shows a page with pictures, whatever their number', () =>
    inFolder(async (folder) => {
      const model = join(folder, 'net');
      await writeModel(graphOf(8), model);
      for (let i = 0; i < 18; i++) {
        const picture = i === 2 ? new Uint8Array(3) : await plain([9 * i, 200 - 7 * i, 90], 6);
        await writeFiles(folder, { [`photos/${String(i).padStart(2, '0')}.png`]: picture });
      }
      const common = [
        '--backend',
        'cpu',
        '--no-shuffle',
        '--skip-bad',
        '--report',
        join(folder, 'page.html'),
      ];
      const picturesOn = async (...args: string[]) => {
        const ran = await rebatch(...args, ...common);
        expect([ran.code, ran.err.includes('Error')]).toEqual([0, false]);
        return (await readFile(join(folder, 'page.html'), 'utf8')).match(/data:image\/png/g)?.length;
      };
      // The second of two whole batches.
      expect(await picturesOn('recalibrate', model, join(folder, 'photos'), '--force')).toBe(8);
      expect(await picturesOn('compare', model, `${model}-recalibrated`, join(folder, 'photos'))).toBe(8);
      await writeFiles(folder, { 'photos/02.png': await plain([9, 8, 7], 6) });
      expect(await picturesOn('compare', model, `${model}-recalibrated`, join(folder, 'photos'))).toBe(12);
    }));

  test('and of parts, no more samples than there are', () =>
    inFolder(async (folder) => {
      const paths = await write(folder, SAMPLES);
      const { code, err } = await rebatch(
        ...['recalibrate', ...paths, ...part(paths[0]), '--backend', 'cpu', '--samples', '24'],
      );
      expect([code, err]).toEqual([
        4,
        expect.stringMatching(/--samples: expected at most the 20 .*, got 24/),
      ]);
    }));
});
