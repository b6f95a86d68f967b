import { expect, test } from 'vitest';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { combineSeeds, runSeed } from './run.ts';

const context = { signal: new AbortController().signal, advance() {} };

test('a seed runs on the WASM backend', async () => {
  const experiment = fakeExperiment('fake', { seeds: [2], factor: 3 });
  const result = await runSeed(experiment, 2, experiment.settings(false), context);
  expect(result).toMatchObject({ backend: 'wasm', rows: [{ value: 6 }, { value: 12 }] });
  expect(result.seconds).toBeGreaterThan(0);
});

test('seeds are put together in their order, and none may be missing', () => {
  const experiment = fakeExperiment('fake', { seeds: [1, 2], factor: 3 });
  const results = [1, 2].map((seed) => ({ backend: 'wasm', rows: [{ seed, value: seed }], seconds: 1.26 }));
  expect(combineSeeds(experiment, { quick: false }, results)).toMatchObject({
    seeds: [1, 2],
    rows: [{ value: 1 }, { value: 2 }],
    seconds: 2.5,
    settings: { factor: 3, quick: false },
  });
  expect(() => combineSeeds(experiment, { quick: false }, results.slice(1))).toThrow('1 results for 2 seeds');
});
