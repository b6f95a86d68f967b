import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-wasm';
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { fakeRun } from '../../testing/fake-run.ts';
import type { TrainEvent, TrainLive } from './settings.ts';
import { train } from './tasks.ts';

vi.mock('../../data/load-digits.ts', () => import('../../testing/digits-from-disk.ts'));

beforeAll(async () => {
  await tf.setBackend('wasm');
});

const OPTIONS = { seed: 1, normalizationBatch: 2, steps: 60, measureEvery: 20, evaluation: 512 };

test('a small normalization batch opens a gap, and freezing closes it in training', async () => {
  const run = fakeRun<TrainLive, TrainEvent>({ frozen: false });
  run.onEvent = ({ step }) => {
    if (step === 40) run.live = { frozen: true };
  };
  const result = await train(OPTIONS, run);
  expect(result).toEqual(run.events.at(-1)?.errors);
  expect(run.events.map(({ step, frozen }) => `${step}${frozen ? ' frozen' : ''}`)).toEqual([
    '1',
    '20',
    '40',
    '41 frozen',
    '60 frozen',
  ]);
  const [before, after] = [run.events[2], run.events[3]].map((event) => (event as TrainEvent).errors);
  // Between the steps 40 and 41 the weights hardly move: what changes is what normalizes.
  expect(before!.miniBatch - before!.population).toBeGreaterThan(0.1);
  expect(before!.training - before!.population).toBeGreaterThan(0.08);
  expect(Math.abs(after!.training - after!.population)).toBeLessThan(0.08);
});

test('with all of the batch normalized together there is hardly a gap', async () => {
  const run = fakeRun<TrainLive, TrainEvent>({ frozen: false });
  const { miniBatch, population } = await train({ ...OPTIONS, normalizationBatch: 128 }, run);
  expect(Math.abs(miniBatch - population)).toBeLessThan(0.05);
});

test('a run that is thawed goes on with its own statistics; one that is cancelled leaves no tensors', async () => {
  let run = fakeRun<TrainLive, TrainEvent>({ frozen: true });
  await expectNoLeaks(tf, async () => {
    run = fakeRun({ frozen: true });
    run.onEvent = ({ step }) => {
      run.live = { frozen: false };
      if (step === 3) run.abort();
    };
    await expect(train({ ...OPTIONS, measureEvery: 3 }, run)).rejects.toThrow('Cancelled.');
  });
  expect(run.events.map(({ step, frozen }) => `${step} ${frozen}`)).toEqual(['1 true', '2 false', '3 false']);
});
