// Training that waits, for data and for as long as it is told to, and that does not.
import { setTimeout as sleep } from 'node:timers/promises';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { type ReplicaError, ReplicaSetupError, type TrainReplicasOptions, trainReplicas } from '../index.ts';
import {
  buildDense,
  synchronized,
  trainHere,
  vectorBatches,
  weightsOf,
} from '../testing/models.test.support.ts';
import { useThreads, watched } from '../testing/threads.test.support.ts';

const { workers, start } = useThreads([{}, {}]);

const SIZES = [7, 9, 6];
const args = () => ({ loss: 'meanSquaredError', optimizer: tf.train.momentum(0.05, 0.9) });

/** Trains on three batches, and one that comes only when it is delivered; something else happens meanwhile. */
async function trainOnSlowData(meanwhile: () => void, options: Partial<TrainReplicasOptions> = {}) {
  const model = synchronized(buildDense(), args());
  const late = vectorBatches([5])[0]!;
  let deliver = () => {};
  async function* slow() {
    yield* vectorBatches(SIZES);
    await new Promise<void>((resolve) => {
      deliver = resolve;
    });
    yield late;
  }
  const run = trainReplicas(model, slow(), {
    workers,
    onProgress: ({ step }) => {
      if (step === 2) meanwhile();
    },
    ...options,
  });
  const error = await watched(
    run.then(
      () => Promise.reject(new Error('it did not fail')),
      (error: ReplicaError) => error,
    ),
  );
  deliver();
  await sleep(10);
  return { model, error, late: late.xs as tf.Tensor };
}

test('data that does not come does not keep an abort waiting, and is disposed when it comes', async () => {
  const controller = new AbortController();
  const abort = () => controller.abort(new RangeError('enough'));
  const { error, late } = await trainOnSlowData(abort, { signal: controller.signal });
  expect(error).toBeInstanceOf(RangeError);
  expect(late.isDisposed).toBe(true);
});

test('nor a replica that dies', async () => {
  const kill = () => void workers[1]!.terminate();
  const { model, error } = await trainOnSlowData(kill);
  workers[1] = start(1);
  expect(error).toMatchObject({ rank: 1, failure: 'exited' });
  expect(error.steps).toBeGreaterThanOrEqual(2);
  const reference = buildDense();
  reference.compile(args());
  const after = await trainHere(reference, vectorBatches(SIZES));
  weightsOf(model).forEach((values, at) => {
    expectClose(values, after[error.steps!]![at]!, 1e-5, model.weights[at]!.name);
  });
});

test.each([Number.POSITIVE_INFINITY, 2 ** 40])('replicas may wait for %d ms', async (timeoutMs) => {
  const batches = vectorBatches([8, 8]);
  const model = synchronized(buildDense(), args());
  const { steps } = await watched(trainReplicas(model, batches, { workers, timeoutMs, epochs: 10 }));
  expect(steps).toBe(20);
  const { error } = await trainOnSlowData(() => void workers[1]!.terminate(), { timeoutMs });
  workers[1] = start(1);
  expect(error).toMatchObject({ rank: 1, failure: 'exited' });
});

test('workers that are training already are refused, and go on', async () => {
  const [first, second] = [0, 1].map(() => synchronized(buildDense(), args()));
  const run = trainReplicas(first!, vectorBatches([8, 8]), { workers, epochs: 10 });
  const again = () => watched(trainReplicas(second!, vectorBatches([8]), { workers: [workers[1]!] }));
  await expect(again()).rejects.toThrow(ReplicaSetupError);
  await expect(again()).rejects.toThrow(/worker 0 is still training another model/);
  expect((await watched(run)).steps).toBe(20);
  expect((await again()).steps).toBe(1);
});
