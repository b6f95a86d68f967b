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
  const results = await runAll([first, second], false, options);
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

test('the real worker starts, and says which experiment it does not know', async () => {
  const job = { experiment: 'no-such', seed: 1, settings: { seeds: [1] }, code: '' };
  const options = { cache: new JobCache(folder), progress, threads: 1, signal: new AbortController().signal };
  await expect(runJobs([{ job, steps: 1 }], options)).rejects.toThrow(/no-such/);
});
