import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RecordedProgress } from '@rebatch/npm-files/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Experiment } from '../experiment.ts';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { JobCache } from './cache.ts';
import type { RunChoice } from './job.ts';
import { runAll } from './run-all.ts';
import { runJobs } from './run-jobs.ts';
import { Timings } from './timings.ts';

const worker = fileURLToPath(new URL('../testing/fake-worker.mjs', import.meta.url));
const progress = { start() {}, advance() {}, stop() {} };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-paper-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('each experiment gets the rows of its own seeds, and a finished run leaves nothing in the cache', async () => {
  const cache = new JobCache(folder);
  const options = { cache, progress, worker, threads: 2, signal: new AbortController().signal };
  const first = fakeExperiment('first', { seeds: [1, 2, 3], factor: 1 });
  const second = fakeExperiment('second', { seeds: [5], factor: 10 });
  const { done, leftOut } = await runAll([first, second], { quick: false }, options);
  const results = done.map(({ result }) => result);
  expect(leftOut).toEqual([]);
  expect(results.map(({ experiment }) => experiment)).toEqual(['first', 'second']);
  expect(results[0]!.rows).toEqual(
    [1, 2, 3].flatMap((seed) => [1, 2].map((n) => ({ seed, value: n * seed }))),
  );
  expect(results[1]!.rows).toEqual([
    { seed: 5, value: 50 },
    { seed: 5, value: 100 },
  ]);
  expect(await readdir(folder)).toHaveLength(4);
  await cache.forgetUsed();
  expect(await readdir(folder)).toEqual([]);
});

test('an experiment that cannot be prepared is left out, and the others run', async () => {
  const options = { cache: new JobCache(folder), progress, worker, signal: new AbortController().signal };
  const first = fakeExperiment('first', { seeds: [1], factor: 1, missing: 'no network' });
  const second = fakeExperiment('second', { seeds: [5], factor: 10 });
  const { done, leftOut } = await runAll([first, second], { quick: false }, options);
  expect(done.map(({ experiment, result }) => [experiment, result.rows])).toEqual([
    [
      second,
      [
        { seed: 5, value: 50 },
        { seed: 5, value: 100 },
      ],
    ],
  ]);
  expect(leftOut).toEqual([{ experiment: first, error: new Error('no network') }]);
});

test('an experiment runs after what it needs, which gives no result unless it is asked for', async () => {
  const messages: string[] = [];
  const recorded = { ...progress, advance: (what: string) => void messages.push(what) };
  const options = { cache: new JobCache(folder), progress: recorded, worker, threads: 2 };
  const needed = fakeExperiment('first', { seeds: [1, 2], factor: 1 });
  const needing = { ...fakeExperiment('second', { seeds: [1, 2], factor: 10 }), needs: 'first' };
  const run = (experiments: Experiment[], known: Experiment[]) =>
    runAll(experiments, { quick: false }, { ...options, signal: new AbortController().signal }, known);
  const { done } = await run([needing], [needing, needed]);
  expect(done.map(({ experiment }) => experiment)).toEqual([needing]);
  for (const seed of [1, 2]) {
    const end = messages.indexOf(`first: seed ${seed} done`);
    expect(end).toBeGreaterThanOrEqual(0);
    expect(messages.findIndex((what) => what.startsWith(`second: seed ${seed}`))).toBeGreaterThan(end);
  }
  await expect(run([needing], [needing])).rejects.toThrow('second needs first, and there is no such');
});

test('a run says how long it will take, notes how long it took, and its progress counts seconds', async () => {
  const said: string[] = [];
  const recorded = new RecordedProgress();
  const [first, second] = ['first', 'second'].map((name) =>
    fakeExperiment(name, { seeds: [1, 2], factor: 1 }),
  );
  const run = async (choice: RunChoice = { quick: false }) => {
    const timings = await Timings.load([first!, second!], [], join(folder, 'timings.json'));
    const options = { cache: new JobCache(folder), progress: recorded, worker, threads: 2, timings };
    const say = (what: string) => void said.push(what);
    return runAll([first!, second!], choice, { ...options, say, signal: new AbortController().signal });
  };
  await run();
  // Four jobs of two steps, of which nothing is known.
  expect(said[0]).toBe(
    '4 jobs on 2 threads: about 2 s, by what this machine took before, and for first, second by the committed results',
  );
  expect(recorded.total).toBeCloseTo(4 * 2 * 0.3, 9);
  await run();
  expect(said[1]).toMatch(
    /^0 jobs \(4 more are in the cache\) on 2 threads: about 0 s, by what this machine took before$/,
  );
  await run({ quick: false, seeds: [3] });
  expect(said[2]).toMatch(/^2 jobs on 2 threads: about 1 s, by what this machine took before$/);
});

test('other seeds can be asked for', async () => {
  const options = { cache: new JobCache(folder), progress, worker, signal: new AbortController().signal };
  const experiment = fakeExperiment('first', { seeds: [1, 2], factor: 1 });
  const { done } = await runAll([experiment], { quick: false, seeds: [7] }, options);
  expect(done[0]!.result).toMatchObject({ seeds: [7], settings: { seeds: [7], quick: false } });
  expect(done[0]!.result.rows).toEqual([7, 14].map((value) => ({ seed: 7, value })));
});

test('an interruption while one is prepared ends everything', async () => {
  const abort = new AbortController();
  const options = { cache: new JobCache(folder), progress, worker, signal: abort.signal };
  const all = runAll([fakeExperiment('first', { seeds: [1], factor: 1 })], { quick: false }, options);
  abort.abort(new Error('stop'));
  await expect(all).rejects.toThrow(/^stop$/);
  expect(await readdir(folder)).toEqual([]);
});

test('the real worker starts, and says which experiment it does not know', async () => {
  const job = { experiment: 'no-such', seed: 1, settings: { seeds: [1] }, code: '' };
  const options = { cache: new JobCache(folder), progress, threads: 1, signal: new AbortController().signal };
  await expect(runJobs([{ job, steps: 1 }], options)).rejects.toThrow(/no-such/);
});
