import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RecordedProgress } from '@rebatch/npm-files/testing';
import { beforeEach, expect, test } from 'vitest';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { JobCache } from './cache.ts';
import { codeHash } from './code-hash.ts';
import { type Job, jobKey, jobsOf } from './job.ts';
import { combineSeeds } from './run.ts';
import { runJobs } from './run-jobs.ts';

const worker = fileURLToPath(new URL('../testing/fake-worker.mjs', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-'));
  return () => rm(folder, { recursive: true, force: true });
});

function run(jobs: readonly Job[], options: { signal?: AbortSignal; onAdvance?: () => void } = {}) {
  const progress = new RecordedProgress();
  const cache = new JobCache(folder);
  const { signal = new AbortController().signal } = options;
  const planned = jobs.map((job) => ({ job, steps: 2 }));
  const results = runJobs(planned, { cache, signal, progress, threads: 2, worker });
  return { progress, results };
}

test('jobs give in the pool what they give alone, in their order, with one progress for all', async () => {
  const settings = { seeds: [3, 1, 2], factor: 10 };
  const experiment = fakeExperiment('fake', settings);
  const { progress, results } = run(jobsOf(experiment, { quick: false }, 'code'));
  const combined = combineSeeds(experiment, { quick: false }, (await results) as never);
  expect(combined.rows).toEqual([
    { seed: 3, value: 30 },
    { seed: 3, value: 60 },
    { seed: 1, value: 10 },
    { seed: 1, value: 20 },
    { seed: 2, value: 20 },
    { seed: 2, value: 40 },
  ]);
  const alone = await experiment.runSeed(3, settings, {
    signal: new AbortController().signal,
    advance: () => {},
  });
  expect(combined.rows.slice(0, 2)).toEqual(alone);
  expect(combined).toMatchObject({ seeds: [3, 1, 2], seconds: 3, settings: { factor: 10, quick: false } });
  expect(progress).toMatchObject({ total: 6, done: 6, stopped: 1 });
});

test('a run that fails or is interrupted keeps what it finished, and the next goes on from there', async () => {
  const jobs = (settings: object) =>
    [1, 2].map((seed) => ({ experiment: 'fake', seed, settings: { seeds: [], ...settings }, code: 'code' }));
  // Two settings, so that the seeds that fail or hang are jobs of their own.
  const [fine] = jobs({ factor: 1 });
  const [failing] = jobs({ factor: 2, failing: 1 });
  const [hanging] = jobs({ factor: 3, hanging: 1 });

  await run([fine!]).results;
  expect(await readdir(folder)).toEqual([`${jobKey(fine!)}.json`]);

  const failed = run([fine!, failing!, hanging!]);
  await expect(failed.results).rejects.toThrow('seed 1 fails');
  expect(failed.progress).toMatchObject({ total: 4, stopped: 1 });

  const abort = new AbortController();
  const interrupted = run([hanging!, jobs({ factor: 4 })[1]!], { signal: abort.signal });
  const settled = expect(interrupted.results).rejects.toThrow('stop');
  while ((await readdir(folder)).filter((name) => name.endsWith('.json')).length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  abort.abort(new Error('stop'));
  await settled;
  expect(interrupted.progress.stopped).toBe(1);

  const again = run([fine!, jobs({ factor: 4 })[1]!]);
  expect((await again.results).map(({ rows }) => rows)).toEqual([
    [
      { seed: 1, value: 1 },
      { seed: 1, value: 2 },
    ],
    [
      { seed: 2, value: 8 },
      { seed: 2, value: 16 },
    ],
  ]);
  expect(again.progress).toMatchObject({ total: 0, done: 0 });
  await expect(run([fine!], { signal: abort.signal }).results).rejects.toThrow('stop');
});

test('what was cut short while it was written does not count, and clearing forgets the rest', async () => {
  const cache = new JobCache(folder);
  const [job] = jobsOf(fakeExperiment('fake', { seeds: [1], factor: 1 }), { quick: false }, 'code');
  const result = { backend: 'none', rows: [{ a: 1 }], seconds: 1 };
  await writeFile(join(folder, `${jobKey(job!)}.json.part`), '{"rows":');
  expect(await cache.read(job!)).toBeUndefined();
  await cache.write(job!, result);
  expect(await cache.read(job!)).toEqual(result);
  await cache.clear();
  expect(await cache.read(job!)).toBeUndefined();
});

test('a job is known by its experiment, seed, settings and code, not by the seeds beside it', () => {
  const job: Job = { experiment: 'a', seed: 1, settings: { seeds: [1] }, code: 'x' };
  const other = [
    { ...job, experiment: 'b' },
    { ...job, seed: 2 },
    { ...job, settings: { seeds: [1], batch: 2 } },
    { ...job, code: 'y' },
  ];
  expect(new Set([job, ...other].map(jobKey)).size).toBe(5);
  expect(jobKey({ ...job, settings: { seeds: [1, 2] } })).toBe(jobKey(job));
});

test('each experiment has its own code', async () => {
  const hashes = await Promise.all(['ema-decay', 'ema-decay', 'nbs-sweep'].map(codeHash));
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});
