import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { resultOf } from '../testing/result-of.ts';
import { duration, Timings } from './timings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-timings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Two steps a seed; the committed results took 10 s and 100 s for one seed each. */
const [first, second] = ['first', 'second'].map((name) => fakeExperiment(name, { seeds: [1], factor: 1 }));
const results = [
  [first!, { ...resultOf(first!, [{ seed: 1, value: 1 }]), seeds: [1], seconds: 10 }],
  [second!, { ...resultOf(second!, [{ seed: 1, value: 1 }]), seeds: [1], seconds: 100 }],
] as const;
const load = (known: typeof results | readonly [] = results) =>
  Timings.load([first!, second!], known, join(folder, 'deep', 'timings.json'));

test('before anything was measured here, steps take as long as those of the committed results', async () => {
  const timings = await load();
  expect(timings.paceOf(first!, { quick: false })).toEqual({ seconds: 5, here: false });
  expect(timings.paceOf(second!, { quick: true })).toEqual({ seconds: 50, here: false });
});

test('what was measured is kept, and tells how this machine compares', async () => {
  await (await load()).note(first!, { quick: false }, 30);
  const timings = await load();
  expect(timings.paceOf(first!, { quick: false })).toEqual({ seconds: 15, here: true });
  // Three times as long as committed: so will be the others.
  expect(timings.paceOf(second!, { quick: false })).toEqual({ seconds: 150, here: false });
  await timings.note(second!, { quick: true }, 2);
  expect(timings.paceOf(second!, { quick: true })).toEqual({ seconds: 1, here: true });
  expect(timings.paceOf(second!, { quick: false }).here).toBe(false);
  expect(JSON.parse(await readFile(join(folder, 'deep', 'timings.json'), 'utf8'))).toEqual({
    first: 15,
    'second, quick': 1,
  });
});

test('jobs that end together are all noted, and leave nothing else', async () => {
  const timings = await load([]);
  const quick = [true, false].flatMap((own) => Array.from({ length: 8 }, () => own));
  await Promise.all(quick.map((own, i) => timings.note(i % 4 < 2 ? first! : second!, { quick: own }, 2 * i)));
  expect(JSON.parse(await readFile(join(folder, 'deep', 'timings.json'), 'utf8'))).toEqual({
    'first, quick': 5,
    'second, quick': 7,
    first: 13,
    second: 15,
  });
  expect(await readdir(join(folder, 'deep'))).toEqual(['timings.json']);
});

test('where nothing is known there is a guess', async () => {
  expect((await load([])).paceOf(first!, { quick: false })).toEqual({ seconds: 0.3, here: false });
});

test('durations read as people say them', () => {
  expect([0.2, 59, 61, 3_000, 7_500].map(duration)).toEqual(['1 s', '59 s', '1 min', '50 min', '2 h 5 min']);
});
