import { expect, test } from 'vitest';
import type { Result } from '../experiment.ts';
import { type FakeRow, fakeExperiment } from '../testing/fake-experiment.ts';
import { joinResults } from './join-results.ts';
import { combineSeeds } from './run.ts';

/** What `pnpm paper --seeds ...` would write. */
function resultOf(seeds: readonly number[], change: Partial<Result<FakeRow>> = {}): Result<FakeRow> {
  const experiment = fakeExperiment('fake', { seeds, factor: 3 });
  const results = seeds.map((seed) => ({
    ...{ backend: 'wasm', seconds: 1.26 },
    rows: [{ seed, value: 3 * seed }],
  }));
  return { ...combineSeeds(experiment, { quick: false }, results), ...change };
}
const experiment = fakeExperiment('fake', { seeds: [1, 2, 3], factor: 3 });

test('the seeds of two runs give what one run of all of them gives', () => {
  const joined = joinResults(experiment, resultOf([1, 2]), resultOf([3]));
  expect(joined).toEqual({ ...resultOf([1, 2, 3]), seconds: 3.8 });
  expect(joined.claims[0]!.measured).toBe('3 values');
});

test('results that are not of the same run, or have a seed in common, are refused', () => {
  const first = resultOf([1, 2]);
  expect(() => joinResults(experiment, first, resultOf([2, 3]))).toThrow('fake: both results have seed 2.');
  expect(() => joinResults(experiment, first, resultOf([3], { backend: 'cpu' }))).toThrow(
    'fake: the results to join differ in backend: they are of different runs.',
  );
  expect(() => joinResults(experiment, first, resultOf([3], { experiment: 'other' }))).toThrow(
    'differ in experiment',
  );
  const { settings } = resultOf([3]);
  for (const other of [
    { ...settings, factor: 4 },
    { ...settings, quick: true },
    { ...settings, more: 1 },
  ]) {
    expect(() => joinResults(experiment, first, resultOf([3], { settings: other }))).toThrow(/differ in/);
  }
});
