import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JobCache } from './pool/cache.ts';
import { runJobs } from './pool/run-jobs.ts';
import { runAll } from './run-all.ts';
import { fakeExperiment } from './testing/fake-experiment.ts';

const worker = fileURLToPath(new URL('./testing/fake-worker.mjs', import.meta.url));
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
  const { done, leftOut } = await runAll([first, second], false, options);
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
  const { done, leftOut } = await runAll([first, second], false, options);
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

test('an interruption while one is prepared ends everything', async () => {
  const abort = new AbortController();
  const options = { cache: new JobCache(folder), progress, worker, signal: abort.signal };
  const all = runAll([fakeExperiment('first', { seeds: [1], factor: 1 })], false, options);
  abort.abort(new Error('stop'));
  await expect(all).rejects.toThrow(/^stop$/);
  expect(await readdir(folder)).toEqual([]);
});

test('the real worker starts, and says which experiment it does not know', async () => {
  const job = { experiment: 'no-such', seed: 1, settings: { seeds: [1] }, code: '' };
  const options = { cache: new JobCache(folder), progress, threads: 1, signal: new AbortController().signal };
  await expect(runJobs([{ job, steps: 1 }], options)).rejects.toThrow(/no-such/);
});
