// Data-parallel training in Web Workers, in a page that is cross-origin isolated.
import '@tensorflow/tfjs-backend-cpu';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGroupMemory, SharedGroup, trainReplicas } from '../index.ts';
import {
  buildDense,
  synchronized,
  trainHere,
  vectorBatches,
  weightsOf,
} from '../testing/models.test.support.ts';

const start = () => new Worker(new URL('../testing/web.test.worker.ts', import.meta.url), { type: 'module' });
const args = () => ({ loss: 'meanSquaredError', optimizer: tf.train.momentum(0.05, 0.9) });
let workers: Worker[];

beforeAll(async () => {
  await tf.setBackend('cpu');
  workers = [start(), start()];
});
afterAll(() => {
  for (const worker of workers) worker.terminate();
});

test('the same weights as this thread alone, in unequal shards', async () => {
  const batches = vectorBatches([7, 8, 2, 9]);
  const [reference, model] = [buildDense(), synchronized(buildDense(), args())];
  reference.compile(args());
  const expected = await trainHere(reference, batches);
  const { steps } = await trainReplicas(model, batches, { workers, shares: [2, 1] });
  expect(steps).toBe(4);
  weightsOf(model).forEach((values, at) => {
    expectClose(values, expected.at(-1)![at]!, 1e-5, model.weights[at]!.name);
  });
});

test('a worker that is terminated, of which a browser tells nobody, is named by the one that waits', async () => {
  const model = synchronized(buildDense(), args());
  const batches = vectorBatches([7, 8, 6, 9]);
  const run = trainReplicas(model, batches, {
    workers,
    epochs: 1000,
    timeoutMs: 1000,
    onProgress: ({ step }) => {
      if (step === 3) workers[1]!.terminate();
    },
  });
  await expect(run).rejects.toMatchObject({
    rank: 1,
    failure: 'stalled',
    message: expect.stringMatching(/replica 1 stalled.*whole steps/),
  });
  const reference = buildDense();
  reference.compile(args());
  const { steps } = await run.catch((error: { steps: number }) => error);
  const whole = Array.from({ length: steps }, (_, at) => batches[at % batches.length]!);
  const expected = await trainHere(reference, whole);
  weightsOf(model).forEach((values, at) => {
    expectClose(values, expected.at(-1)![at]!, 1e-4, model.weights[at]!.name);
  });
  workers[1] = start();
});

test('a worker whose script fails is named', async () => {
  const broken = new Worker(URL.createObjectURL(new Blob(['throw new Error("no such layer")'])));
  const model = synchronized(buildDense(), args());
  const run = trainReplicas(model, vectorBatches([4]), { workers: [workers[0]!, broken], timeoutMs: 5000 });
  await expect(run).rejects.toMatchObject({
    rank: 1,
    failure: 'threw',
    message: expect.stringMatching(/no such layer/),
  });
});

test('the thread of the page may not wait, and is told so', () => {
  const group = new SharedGroup(createGroupMemory({ size: 2, timeoutMs: 100 }), 0);
  expect(() => group.allReduceSum(new Float64Array(1))).toThrow(/main thread of a browser.*Web Worker/);
});
