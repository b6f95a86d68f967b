import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-wasm';
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { fakeRun } from '../../testing/fake-run.ts';
import { trainInStep } from './in-step.ts';
import { schemeNetwork, withScheme } from './network.ts';
import { BATCH, PER_DEVICE, SCHEMES, type TrainEvent, type TrainLive } from './settings.ts';
import { look, train } from './tasks.ts';

vi.mock('../../data/load-digits.ts', () => import('../../testing/digits-from-disk.ts'));

beforeAll(async () => {
  await tf.setBackend('wasm');
});

const OPTIONS = { seed: 1, steps: 6, measureEvery: 3, evaluation: 1, audited: 320 };
const newRun = (scheme: TrainLive['scheme']) => fakeRun<TrainLive, TrainEvent>({ scheme, audits: 0 });

test.each(SCHEMES)('$name: trains, measures, audits at the end, and leaves no tensors', async ({ name }) => {
  let run = newRun(name);
  await expectNoLeaks(tf, () => {
    run = newRun(name);
    return train(OPTIONS, run);
  });
  expect(run.events.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
    'point 1',
    'point 3',
    'point 6',
    'audit 6',
  ]);
  for (const event of run.events) {
    expect(event.scheme).toBe(name);
    if (event.kind === 'audit') expect(event.report.groupSize).toBe(PER_DEVICE);
    else for (const error of Object.values(event.errors)) expect(error).toBeGreaterThan(0);
  }
});

test('the scheme and audits follow the page; a run that is cancelled leaves no tensors', async () => {
  let run = newRun('apart');
  await expectNoLeaks(tf, async () => {
    run = newRun('apart');
    run.onEvent = (event) => {
      if (event.kind === 'point' && event.step === 3) run.live = { scheme: 'sync', audits: 1 };
      if (event.kind === 'point' && event.step === 6) run.abort();
    };
    await expect(train({ ...OPTIONS, steps: 40 }, run)).rejects.toThrow('Cancelled.');
  });
  expect(run.events.map(({ kind, step, scheme }) => `${kind} ${step} ${scheme}`)).toEqual([
    'point 1 apart',
    'point 3 apart',
    'audit 3 apart',
    'point 6 sync',
  ]);
});

test('another scheme has the weights of the one before', () => {
  let model = schemeNetwork('apart', 1);
  for (const scheme of ['shuffle', 'sync', 'ghost'] as const) {
    const before = model.getWeights().map((weight) => weight.dataSync());
    model = withScheme(model, scheme, 2);
    expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(before);
  }
  model.dispose();
});

test('devices in step take the step of one device with all digits', async () => {
  const { loadDigits } = await import('../../testing/digits-from-disk.ts');
  const { trainOn } = await import('../../network/train-on.ts');
  const digits = await loadDigits('train');
  const batch = Array.from({ length: 24 }, (_, at) => at);
  const weightsAfter = async (
    step: (model: ReturnType<typeof schemeNetwork>, sgd: tf.Optimizer) => unknown,
  ) => {
    const [model, sgd] = [schemeNetwork('sync', 1), tf.train.sgd(0.5)];
    const loss = (await step(model, sgd)) as number;
    const weights = model.trainableWeights.map((weight) => [...weight.read().dataSync()]);
    model.dispose();
    sgd.dispose();
    return { loss, weights };
  };
  const one = await weightsAfter((model, sgd) => trainOn(model, sgd, digits, batch));
  // Unequal parts: every digit counts alike.
  const parts = [batch.slice(0, 4), batch.slice(4, 16), batch.slice(16)];
  const three = await weightsAfter((model, sgd) => trainInStep(model, sgd, digits, parts));
  expect(three.loss).toBeCloseTo(one.loss, 5);
  three.weights.forEach((weight, at) => {
    weight.forEach((value, i) => {
      expect(Math.abs(value - (one.weights[at]?.[i] as number))).toBeLessThan(1e-5);
    });
  });
});

test('a batch to look at is sorted by device', async () => {
  const { pixels, labels } = await look({ seed: 9 }, fakeRun<undefined, never>(undefined));
  expect([pixels.length, labels.length]).toEqual([BATCH * 784, BATCH]);
  for (let position = 0; position < BATCH; position++) {
    expect(labels[position]).toBe(labels[position - (position % PER_DEVICE)]);
  }
  expect(new Set(labels).size).toBe(7);
});
