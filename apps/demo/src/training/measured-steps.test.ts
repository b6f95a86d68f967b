import { expect, test } from 'vitest';
import { fakeRun } from '../testing/fake-run.ts';
import { measuredSteps } from './measured-steps.ts';

test('measures after the first step, after every so many, and where it is asked to; pauses there alone', async () => {
  const told: string[] = [];
  const run = {
    ...fakeRun<undefined, never>(undefined),
    progress: (done: number, total: number, what: string) => void told.push(`${done}/${total} ${what}`),
    breathe: async () => void told.push('breathe'),
    checkpoint: async () => void told.push('checkpoint'),
  };
  await measuredSteps(run, {
    steps: 4,
    measureEvery: 2,
    train: async (step) => ({ loss: step / 8, ...(step === 3 ? { measured: true } : {}) }),
    measure: async (step, loss) => void told.push(`measure ${step} ${loss}`),
    after: async (step) => void told.push(`after ${step}`),
  });
  expect(told).toEqual([
    ...['1/4 step 1 of 4, loss 0.13', 'measure 1 0.125', 'after 1', 'checkpoint'],
    ...['2/4 step 2 of 4, loss 0.25', 'measure 2 0.25', 'after 2', 'checkpoint'],
    ...['3/4 step 3 of 4, loss 0.38', 'measure 3 0.375', 'after 3', 'checkpoint'],
    ...['4/4 step 4 of 4, loss 0.50', 'measure 4 0.5', 'after 4', 'checkpoint'],
  ]);
  told.length = 0;
  await measuredSteps(run, {
    steps: 2,
    measureEvery: 3,
    train: async () => ({ loss: 0 }),
    measure: async () => {},
  });
  expect(told.filter((one) => !one.includes('/'))).toEqual(['checkpoint', 'breathe']);
});

test('a cancelled run trains no further step', async () => {
  const run = fakeRun<undefined, never>(undefined);
  let trained = 0;
  const steps = measuredSteps(run, {
    steps: 9,
    measureEvery: 9,
    train: async (step) => {
      trained = step;
      if (step === 2) run.abort();
      return { loss: 0 };
    },
    measure: async () => {},
  });
  await expect(steps).rejects.toThrow('Cancelled.');
  expect(trained).toBe(2);
});
