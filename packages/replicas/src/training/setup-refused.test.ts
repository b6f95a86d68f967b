// Models, data and options that data-parallel training cannot work with.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { ReplicaSetupError, type TrainReplicasOptions, trainReplicas } from '../index.ts';
import { buildDense, synchronized, vectorBatches, weightsOf } from '../testing/models.test.support.ts';
import { useThreads, watched } from '../testing/threads.test.support.ts';

const { workers } = useThreads([{}, {}]);

const BATCHES = vectorBatches([7, 9]);
const args = () => ({ loss: 'meanSquaredError', optimizer: tf.train.momentum(0.05, 0.9) });

test('setups that cannot work are refused before anything starts', async () => {
  const run = (model: tfl.LayersModel, options: Partial<TrainReplicasOptions>) =>
    watched(trainReplicas(model, BATCHES, { workers, ...options }));
  const cases: [Partial<TrainReplicasOptions>, RegExp][] = [
    [{ workers: [] }, /at least one worker/],
    [{ workers: [workers[0]!, workers[0]!] }, /one of them twice/],
    [{ epochs: 0 }, /epochs and steps/],
    [{ steps: 1.5 }, /epochs and steps/],
    [{ shares: [1] }, /2 shares.*\[1\]/],
    [{ shares: [0, 0] }, /2 shares/],
    [{ names: ['one'] }, /2 names/],
  ];
  for (const [options, message] of cases)
    await expect(run(synchronized(buildDense(), args()), options)).rejects.toThrow(message);
  await expect(run(buildDense(), {})).rejects.toThrow(/to be compiled/);
  const unsaved = synchronized(buildDense(), { loss: 'meanSquaredError', optimizer: tf.train.adamax(0.1) });
  await expect(run(unsaved, {})).rejects.toThrow(/Adamax cannot save its state/);
  const twice = trainReplicas(synchronized(buildDense(), args()), BATCHES.values(), {
    workers,
    epochs: 2,
  });
  await expect(twice).rejects.toThrow(/read again for 2 epochs/);
});

test('options that are none are refused before any weight has changed', async () => {
  const model = synchronized(buildDense(), args());
  const before = weightsOf(model);
  const options = [
    undefined,
    ...[{ onProgress: 3 }, { signal: {} }, { timeoutMs: '3' }, { names: 3 }].map((one) => ({
      workers,
      ...one,
    })),
  ];
  for (const given of options) {
    const run = watched(trainReplicas(model, BATCHES, given as unknown as TrainReplicasOptions));
    await expect(run).rejects.toThrow(ReplicaSetupError);
    expect(weightsOf(model)).toEqual(before);
  }
});
