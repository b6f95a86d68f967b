// `rebatch recalibrate --queue` and `rebatch worker`, against a real Redis.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasRedis, RedisServer } from '@rebatch/redis';
import { makeBlocks, makeSequential } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import type { RepairOutput } from '../report/repair-report.ts';
import { float32, npy } from '../testing/arrays.ts';
import { weightsIn, writeLayers } from '../testing/models.ts';
import { inFolder, writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson, rebatchWith } from '../testing/run-cli.ts';

const SIZES = [5, 6, 4];
const makeModel = (seed: number, folder: string) =>
  writeLayers(makeSequential(makeBlocks(seededRandom(seed), SIZES)), folder);

interface Paths {
  readonly folder: string;
  readonly model: string;
  readonly data: string;
}

/** Data that is a program. */
const MODULE = `
const batch = (from, to) => ({ values: Float32Array.from({ length: 5 * (to - from) }, (_, i) => Math.sin(5 * from + i)), shape: [to - from, 5] });
export default {
  count: 60,
  async *read({ from, to, batchSize }) {
    for (let at = from; at < to; at += batchSize) yield batch(at, Math.min(to, at + batchSize));
  },
};`;

async function withNetwork(use: (paths: Paths) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const values = seededRandom(4).normals(60 * 5, 0.4, 1.2);
    await writeFiles(folder, {
      'x.npy': npy('<f4', [60, 5], float32([...values])),
      'x.mjs': MODULE,
    });
    await use({ folder, model: await makeModel(3, join(folder, 'net')), data: join(folder, 'x.npy') });
  });
}

describe.skipIf(!hasRedis())('a queue on the command line', () => {
  let redis: RedisServer;
  let workers: { readonly stop: AbortController; readonly end: Promise<{ code: number; err: string }> }[] =
    [];

  beforeAll(async () => {
    await startBackend('cpu');
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    for (const { stop } of workers) stop.abort();
    await Promise.all(workers.map(({ end }) => end));
    workers = [];
    expect((await rebatch('worker', '--queue', redis.url, '--discard')).code).toBe(0);
  });
  afterAll(() => redis.remove());

  const startWorker = () => {
    const stop = new AbortController();
    workers.push({ stop, end: rebatchWith(stop.signal, 'worker', '--queue', redis.url) });
  };
  /** Waits until there is a job: the command has read its model and data. */
  const enqueued = async () => {
    const queue = new Queue('rebatch', { connection: { url: redis.url } });
    await expect.poll(() => queue.getJobCountByTypes('waiting'), { timeout: 30_000 }).toBeGreaterThan(0);
    await queue.close();
  };
  const args = (model: string, data: string) => {
    const common = ['--backend', 'cpu', '--batch-size', '7', '--overwrite', '--shard-batches', '2'];
    return ['recalibrate', model, data, ...common];
  };

  test.each([['batch'], ['layerwise']])('gives the same bits as no queue: %s', (mode) =>
    withNetwork(async ({ folder, model, data }) => {
      startWorker();
      startWorker();
      const plain = await rebatch(...args(model, data), '--mode', mode, '--out', join(folder, 'plain'));
      expect(plain.code, plain.err).toBe(0);
      const queued = await rebatch(...args(model, data), '--mode', mode, '--queue', redis.url);
      expect(queued.code, queued.err).toBe(0);
      expect(await weightsIn(`${model}-recalibrated`)).toEqual(await weightsIn(join(folder, 'plain')));
      workers[0]!.stop.abort();
      const { code, err } = await workers[0]!.end;
      expect(code).toBe(0);
      expect(err).toContain("Serving queue 'rebatch'.");
    }),
  );

  test.each([['batch'], ['layerwise']])('names what workers left out: %s', (mode) =>
    withNetwork(async ({ folder, model }) => {
      const values = seededRandom(5).normals(60 * 5, 0.4, 1.2);
      for (const i of [8, 9, 299]) values[i] = Number.NaN;
      const data = join(folder, 'holes.npy');
      await writeFiles(folder, { 'holes.npy': npy('<f4', [60, 5], float32([...values])) });
      startWorker();
      startWorker();
      const run = [...args(model, data), '--mode', mode, '--skip-bad'];
      const expected = await rebatchJson<RepairOutput>(...run);
      const names = expected.data.bad.map(({ name }) => name);
      expect(names.sort()).toEqual(['sample 1 of holes.npy', 'sample 59 of holes.npy']);
      const queued = await rebatchJson<RepairOutput>(...run, '--queue', redis.url);
      expect(queued.data).toEqual(expected.data);
    }),
  );

  test('whose worker finds another model at the path: the part is named, and nothing is written', () =>
    withNetwork(async ({ folder, model, data }) => {
      const running = rebatch(...args(model, data), '--queue', redis.url, '--attempts', '2');
      await enqueued();
      await rm(model, { recursive: true });
      await makeModel(8, model);
      const before = await contentsOf(folder);
      startWorker();
      const { code, err } = await running;
      expect(err).toMatch(
        /The shard of samples \d+ to \d+ \(.*\) in pass 1 failed after 2 attempts: .*net is another model here/,
      );
      expect(code).toBe(8);
      expect(await contentsOf(folder)).toEqual(before);
    }));

  test('of data that is a program: not run unless that was allowed', () =>
    withNetwork(async ({ folder, model }) => {
      startWorker();
      const run = await rebatch(
        ...args(model, join(folder, 'x.mjs')),
        '--queue',
        redis.url,
        '--attempts',
        '1',
        '--force',
      );
      expect(run.err).toContain(
        'The data is a JavaScript module, which a worker runs with --allow-modules only',
      );
      expect(run.code).toBe(8);
    }));

  test('that holds jobs of another run', () =>
    withNetwork(async ({ folder, model, data }) => {
      const stop = new AbortController();
      const other = rebatchWith(stop.signal, ...args(model, data), '--queue', redis.url);
      await enqueued();
      const before = await contentsOf(folder);
      const { code, err } = await rebatch(...args(model, data), '--queue', redis.url, '--prior', '3');
      expect(err).toContain('holds unfinished jobs of another run');
      expect(code).toBe(8);
      expect(await contentsOf(folder)).toEqual(before);
      stop.abort();
      expect((await other).code).toBe(130);
      // Who is interrupted takes his jobs along.
      startWorker();
      const free = await rebatch(...args(model, data), '--queue', redis.url, '--prior', '3');
      expect(free.code, free.err).toBe(0);
    }));

  test('that cannot be reached', () =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const nowhere = ['--queue', 'redis://127.0.0.1:1', '--patience', '0.3'];
      for (const command of [args(model, data), ['worker']]) {
        const { code, err } = await rebatch(...command, ...nowhere);
        expect(err).toContain("The queue 'rebatch' at redis://127.0.0.1:1 has not answered for 0.3 s");
        expect(code).toBe(8);
      }
      expect(await contentsOf(folder)).toEqual(before);
      const { code } = await rebatch('worker', '--queue', 'nowhere');
      expect(code).toBe(2);
    }));
});
