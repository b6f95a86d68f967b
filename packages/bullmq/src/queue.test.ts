// Against a real Redis, with real processes: whatever dies on the way, the result is the same bits as in one process.
import { captureStatistics, estimateStatistics } from '@rebatch/recalibrate';
import { recalibrateFromShards } from '@rebatch/recalibrate/shards';
import { hasRedis, RedisServer } from '@rebatch/redis';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { FlowProducer, Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  discardQueue,
  enqueueShards,
  type QueuedRun,
  QueueInUseError,
  RedisUnreachableError,
  type ServeOptions,
  type Serving,
  ShardFailedError,
  serveShards,
} from './index.ts';
import { WorkerProcesses } from './testing/processes.ts';
import { BATCHES, makeBatches, makeModel, openSubject, type Task } from './testing/subject.ts';

const MODES = ['batch', 'layerwise'] as const;

describe.skipIf(!hasRedis())('a queue', () => {
  let redis: RedisServer;
  const expected = new Map<string, unknown>();
  const servings: Serving[] = [];

  beforeAll(async () => {
    await tf.setBackend('cpu');
    redis = await RedisServer.start();
    for (const mode of MODES) {
      expected.set(mode, (await estimateStatistics(makeModel(), makeBatches(), { mode })).statistics);
    }
  });
  afterEach(async () => {
    for (const serving of servings.splice(0)) await serving.close();
    await discardQueue({ url: redis.url });
  });
  afterAll(async () => {
    await redis.remove();
  });

  const serve = async (options: ServeOptions = {}) => {
    const serving = serveShards({ url: redis.url }, openSubject, { lease: 1000, ...options });
    servings.push(serving);
    await serving.ready;
    return serving;
  };

  /** Enqueues, waits, and gives what the model has then. */
  async function recalibrated(task: Task, run: Partial<QueuedRun> = {}, patience = 10_000) {
    const model = makeModel();
    const before = await captureStatistics(model);
    const place = { url: redis.url, patience };
    const queue = enqueueShards(place, { id: 'run-1', task, batches: BATCHES, shardBatches: 2, ...run });
    try {
      await recalibrateFromShards(model, queue.measure, { mode: task.mode });
    } catch (error) {
      expect(await captureStatistics(model)).toEqual(before);
      throw error;
    } finally {
      await queue.close();
    }
    return captureStatistics(model);
  }

  /** What `openSubject` remarks, of shards of two batches. */
  const remarksOf = (mode: string) =>
    Array.from({ length: mode === 'batch' ? 1 : 3 }, (_, i) =>
      Array.from({ length: BATCHES / 2 }, (_, shard) => ({ pass: i + 1, first: 2 * shard })),
    ).flat();

  const inFloat32 = (mode: string) =>
    (expected.get(mode) as { name: string; mean: Float64Array; variance: Float64Array }[]).map(
      ({ name, mean, variance }) => ({
        name,
        mean: mean.map(Math.fround),
        variance: variance.map(Math.fround),
      }),
    );

  test.each(MODES)('of one worker gives the same bits as no queue: %s', async (mode) => {
    const notes: string[] = [];
    const heard: unknown[] = [];
    await serve({ onNote: (text) => notes.push(text) });
    const onShards = (one: unknown) => heard.push(one);
    const remarks: unknown[] = [];
    const onRemark = (one: unknown) => remarks.push(one);
    expect(await recalibrated({ mode, slow: 20 }, { onShards, onRemark })).toEqual(inFloat32(mode));
    expect(remarks).toEqual(remarksOf(mode));
    expect(notes).toContain('Batches 2 to 3, pass 1: done.');
    expect(notes.at(-1)).toBe(`Round of pass ${mode === 'batch' ? 1 : 3}: done.`);
    expect(heard).toContainEqual({ pass: 1, done: expect.any(Number), total: BATCHES / 2 });
    // Nothing is left behind.
    const queue = new Queue('rebatch', { connection: { url: redis.url } });
    expect(await queue.getJobCountByTypes()).toBe(0);
    await queue.close();
  });

  describe('whose workers are killed', () => {
    let workers: WorkerProcesses;

    beforeAll(async () => {
      workers = await WorkerProcesses.build(redis.url);
      await Promise.all([workers.start(), workers.start(), workers.start()]);
    });
    afterAll(() => workers.end());

    // Twenty processes start and die: longer than other tests.
    test('at random, until 20 have died: the same bits every time', async () => {
      const random = seededRandom(2);
      let kills = 0;
      const kill = () => {
        if (workers.kill()) kills += 1;
        // Another one takes its place, when it has started.
        void workers.start();
      };
      for (let i = 0; kills < 20; i++) {
        await expect.poll(() => workers.alive.size, { timeout: 30_000 }).toBeGreaterThan(0);
        const mode = MODES[i % 2]!;
        const remarks: unknown[] = [];
        const run = { id: `run-${i}`, onRemark: (one: unknown) => remarks.push(one) };
        const timer = setTimeout(kill, 10 + 150 * random.uniform());
        expect(await recalibrated({ mode, slow: 6 }, run), `run ${i}`).toEqual(inFloat32(mode));
        expect(remarks, `run ${i}`).toEqual(remarksOf(mode));
        clearTimeout(timer);
      }
    });
  });

  test.each([
    ['with what it held', false],
    ['empty', true],
  ])('whose Redis is stopped midway and started again %s', async (_, empty) => {
    await serve();
    const running = recalibrated({ mode: 'layerwise', slow: 40 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await redis.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await redis.start(empty);
    expect(await running).toEqual(inFloat32('layerwise'));
  });

  test('that ends midway for ever: an error, and the same run goes on later', async () => {
    await serve();
    const running = recalibrated({ mode: 'layerwise', slow: 40 }, {}, 400);
    running.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    await redis.stop();
    await expect(running).rejects.toThrow(RedisUnreachableError);
    await expect(running).rejects.toThrow(
      /The queue 'rebatch' at redis:\/\/127.0.0.1:\d+ has not answered for 0.4 s/,
    );
    await redis.start();
    expect(await recalibrated({ mode: 'layerwise', slow: 40 })).toEqual(inFloat32('layerwise'));
  });

  test('that is not there', async () => {
    const place = { url: 'redis://user:secret@127.0.0.1:1/2', patience: 300 };
    const queue = enqueueShards(place, { id: 'run', task: {}, batches: 3 });
    const running = recalibrateFromShards(makeModel(), queue.measure);
    await expect(running).rejects.toThrow(
      "The queue 'rebatch' at redis://127.0.0.1:1/2 has not answered for 0.3 s (",
    );
    await expect(running).rejects.toThrow('ECONNREFUSED');
    await queue.close();
    const serving = serveShards(place, openSubject);
    await expect(serving.ready).rejects.toThrow(RedisUnreachableError);
    await serving.close();
  });

  test('with a poisoned shard: its name, after so many attempts, and the next run works', async () => {
    const notes: string[] = [];
    await serve({ onNote: (text) => notes.push(text) });
    const run = recalibrated({ mode: 'batch', poisoned: 5 }, { attempts: 2 });
    await expect(run).rejects.toThrow(ShardFailedError);
    await expect(run).rejects.toThrow(
      'The shard of batches 4 to 5 in pass 1 failed after 2 attempts: picture 17 is no picture. The run has ended',
    );
    expect(notes.filter((note) => note.startsWith('Batches 4 to 5, pass 1 failed'))).toHaveLength(2);
    expect(await recalibrated({ mode: 'batch' }, { id: 'run-2' })).toEqual(inFloat32('batch'));
    // The same run, mended: what was measured counts.
    expect(await recalibrated({ mode: 'batch' })).toEqual(inFloat32('batch'));
  });

  test('that holds jobs of another run, or of something else', async () => {
    const queue = new Queue('rebatch', { connection: { url: redis.url } });
    const other = enqueueShards({ url: redis.url }, { id: 'other', task: {}, batches: 4 });
    const waiting = recalibrateFromShards(makeModel(), other.measure);
    waiting.catch(() => {});
    await expect.poll(() => queue.getJobCountByTypes('waiting-children', 'waiting')).toBe(2);
    // While it is open it puts back what is discarded.
    await other.close({ keep: true });
    await expect(waiting).rejects.toThrow();
    const refused = recalibrated({ mode: 'batch' });
    await expect(refused).rejects.toThrow(QueueInUseError);
    await expect(refused).rejects.toThrow(
      'holds unfinished jobs of another run, other. Wait until that is done',
    );
    expect(await discardQueue({ url: redis.url })).toBe(2);

    await queue.add('mail', { to: 'someone' });
    await expect(recalibrated({ mode: 'batch' })).rejects.toThrow(
      'holds unfinished jobs of something else than Rebatch',
    );
    await queue.close();
  });

  test('with messages that are not ours: refused at once, whatever the attempts', async () => {
    const notes: string[] = [];
    await serve({ onNote: (text) => notes.push(text) });
    const flows = new FlowProducer({ connection: { url: redis.url } });
    const queueName = 'rebatch';
    const shard = { version: 2, kind: 'shard', run: 'r', pass: 1, first: 0, batches: 1 };
    const opts = { attempts: 3, failParentOnFailure: true };
    const round = {
      version: 2,
      kind: 'round',
      run: 'r',
      pass: 1,
      shards: 1,
      task: {},
      statistics: [],
      skipped: [],
    };
    const state = { state: null, previous: null };
    const add = (name: string, data: object, parent: object = { ...round, ...state }) =>
      flows.add({ name: 'round', queueName, data: parent, children: [{ name, queueName, data, opts }] });
    await add('shard', { ...shard, batches: -1 });
    await add('shard', { ...shard, __proto__: null, extra: 1 });
    await add('shard', shard, { ...round, ...state, skipped: 'all' });
    await add('shard', { ...shard, run: 'another' });
    const alone = new Queue(queueName, { connection: { url: redis.url } });
    await alone.add('shard', shard, { attempts: 3 });
    await alone.add('round', { ...round, ...state });
    await expect.poll(() => notes.filter((note) => !note.includes('child')).length).toBe(6);
    expect(notes.join('\n')).toContain(
      'got one in which batches is wrong: Invalid value: Expected >=1 but received -1',
    );
    expect(notes.join('\n')).toContain('got one in which extra is wrong');
    expect(notes.join('\n')).toContain('got one in which skipped is wrong');
    expect(notes.join('\n')).toContain('expected it to be of the round that it belongs to');
    expect(notes.join('\n')).toContain('expected it to belong to a round');
    expect(notes.join('\n')).toContain('expected 1 shards, got 0');
    await alone.close();
    await flows.close();
  });
});

describe('what is wrong is said before anything is enqueued', () => {
  const run = { id: 'run', task: {}, batches: 3 };
  const cases: [string, object, object, string][] = [
    [
      'an address of another kind',
      { url: 'http://host' },
      {},
      'option url to be an address like redis://host:6379',
    ],
    ['a name of a queue', { name: 'a:b' }, {}, 'option name to be a name of letters, digits'],
    ['an option that there is not', { patiense: 1 }, {}, 'Did you mean patience?'],
    ['an id', {}, { id: 'a:b' }, 'option id to be a text of letters'],
    ['no task', {}, { task: undefined }, 'option task to be plain JSON'],
    ['no batches', {}, { batches: 0 }, 'option batches to be an integer >= 1'],
    ['an option of a run', {}, { shardbatches: 1 }, 'Did you mean shardBatches?'],
    [
      'a task that is too large',
      {},
      { task: 'x'.repeat(2 ** 20) },
      'expected at most 1048576 bytes, got 1048578',
    ],
  ];
  test.each(cases)('%s', (_, place, change, message) => {
    expect(() => enqueueShards({ url: 'redis://127.0.0.1:1', ...place }, { ...run, ...change })).toThrow(
      message,
    );
  });

  test('an option of a worker', () => {
    const serving = () => serveShards({ url: 'redis://127.0.0.1:1' }, openSubject, { leese: 1 } as never);
    expect(serving).toThrow('Did you mean lease?');
  });
});
