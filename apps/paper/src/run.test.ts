import { RecordedProgress } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';
import { runExperiment } from './run.ts';
import { fakeExperiment } from './testing/fake-experiment.ts';

const options = () => ({
  quick: false,
  signal: new AbortController().signal,
  progress: new RecordedProgress(),
});

test('an experiment is prepared once, before its seeds run', async () => {
  const { progress, ...rest } = options();
  const result = await runExperiment(fakeExperiment('fake', { seeds: [1, 2], factor: 3 }), {
    ...rest,
    progress,
  });
  expect(result.rows.map((row) => row.value)).toEqual([3, 6, 6, 12]);
  expect(result.backend).toBe('wasm');
  expect(progress.messages.filter((what) => what.startsWith('preparing'))).toHaveLength(1);
  expect(progress.messages.slice(0, 3)).toEqual(['preparing fake', 'loading', 'seed 1, times 1']);
  expect(progress).toMatchObject({ started: 2, stopped: 2, total: 4, done: 4 });
});

test('one that cannot be prepared does not run', async () => {
  const failing = fakeExperiment('fake', { seeds: [1], factor: 1, missing: 'no network' });
  const { progress, ...rest } = options();
  await expect(runExperiment(failing, { ...rest, progress })).rejects.toThrow('no network');
  expect(progress).toMatchObject({ started: 1, stopped: 1, done: 0 });
});
