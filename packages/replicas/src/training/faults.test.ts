// Replicas that die, throw and stall: 20 times each, at changing places. Nothing may hang, every error names the replica
// that is to blame, and the model has the weights of exactly as many whole steps as the error says.
import { setTimeout as sleep } from 'node:timers/promises';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test, vi } from 'vitest';
import {
  ReplicaError,
  type ReplicaFailure,
  ReplicaSetupError,
  type TrainingBatch,
  type TrainReplicasOptions,
  trainReplicas,
} from '../index.ts';
import { createFaults, FAULTS, heal, plant } from '../testing/faults.test.support.ts';
import {
  buildDense,
  synchronized,
  trainHere,
  vectorBatches,
  weightsOf,
} from '../testing/models.test.support.ts';
import { ask, useThreads, watched } from '../testing/threads.test.support.ts';

// How long all repetitions take is the machine's affair; that nothing hangs is watched over one by one.
vi.setConfig({ testTimeout: 600_000 });

const REPETITIONS = 20;
const NAMES = ['left', 'right'];
const optimizer = () => tf.train.momentum(0.05, 0.9);
const meanSquaredError = (truth: tf.Tensor, predicted: tf.Tensor) =>
  tf.mean(tf.squaredDifference(truth, predicted), -1);

const faults = NAMES.map(createFaults);
const { workers, start } = useThreads(faults.map((faults) => ({ faults })));

/** The weights after each step of one process, as far as they were needed. */
const expected: Float32Array[][] = [];
let reference: tfl.LayersModel;
const BATCHES = vectorBatches([7, 9, 6, 8]);

/** Milliseconds after which a replica is late beyond doubt: half a second, and more where others have the processor, too. */
let stalledMs: number;

beforeAll(async () => {
  reference = buildDense();
  reference.compile({ loss: meanSquaredError, optimizer: optimizer() });
  expected.push(weightsOf(reference));
  await expectUsable();
  const start = performance.now();
  await expectUsable();
  stalledMs = Math.max(500, 5 * (performance.now() - start));
});

const cloned = ({ xs, ys }: TrainingBatch): TrainingBatch => ({
  xs: tf.clone(xs as tf.Tensor),
  ys: tf.clone(ys as tf.Tensor),
});

/** For ever the same batches, as copies: training disposes what comes from an iterable. */
const endless: Iterable<TrainingBatch> = {
  *[Symbol.iterator]() {
    for (;;) for (const batch of BATCHES) yield cloned(batch);
  },
};

function build(): tfl.LayersModel {
  return synchronized(buildDense(), { loss: meanSquaredError, optimizer: optimizer() });
}

/** Trains until it fails, and returns the error. */
async function failure(
  model: tfl.LayersModel,
  options: Partial<TrainReplicasOptions> = {},
): Promise<ReplicaError> {
  const run = trainReplicas(model, endless, { workers, names: NAMES, timeoutMs: 30_000, ...options });
  return watched(
    run.then(
      () => Promise.reject(new Error('it did not fail')),
      (error) => error,
    ),
  );
}

async function expectWhole(model: tfl.LayersModel, error: ReplicaError, rank: number, how: ReplicaFailure) {
  expect(error).toBeInstanceOf(ReplicaError);
  expect(error).toMatchObject({
    rank,
    failure: how,
    message: expect.stringContaining(`replica ${rank} ('${NAMES[rank]}')`),
  });
  await expectSteps(model, error.steps!);
}

/** Expects a model to have the weights of so many steps of one process. */
async function expectSteps(model: tfl.LayersModel, steps: number): Promise<void> {
  while (expected.length <= steps) {
    const batch = BATCHES[(expected.length - 1) % BATCHES.length]!;
    expected.push((await trainHere(reference, [batch]))[1]!);
  }
  weightsOf(model).forEach((values, at) => {
    expectClose(values, expected[steps]![at]!, 1e-4, `${model.weights[at]!.name} after ${steps} steps`);
  });
}

/** Trains with the workers that are left, which a failure must not have harmed. */
async function expectUsable(steps = 3): Promise<void> {
  const model = build();
  await watched(trainReplicas(model, endless, { workers, names: NAMES, steps }));
  await expectSteps(model, steps);
}

test(`a replica that throws, ${REPETITIONS} times`, async () => {
  const random = seededRandom(3);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rank = repetition % 2;
    const model = build();
    const calls = random.integer(1, 5);
    plant(faults[rank]!, FAULTS.throws, calls);
    const error = await failure(model);
    await expectWhole(model, error, rank, 'threw');
    expect(error.steps).toBe(calls - 1);
    expect(error.message).toMatch(/threw: a fault of the test.*whole step/);
    heal(faults[rank]!);
  }
  await expectUsable();
});

test(`a replica that throws after all have voted, ${REPETITIONS} times`, async () => {
  const random = seededRandom(4);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rank = repetition % 2;
    const model = build();
    const calls = random.integer(1, 5);
    plant(faults[rank]!, FAULTS.throwsLate, calls);
    const error = await failure(model);
    await expectWhole(model, error, rank, 'threw');
    // The other one has taken the step.
    expect(error.steps).toBe(calls);
    heal(faults[rank]!);
  }
  await expectUsable();
});

test('the only replica throws after its optimizer has moved: the model is as it was, to the bit', async () => {
  const model = build();
  await watched(trainReplicas(model, endless, { workers: [workers[0]!], steps: 2 }));
  const accumulations = async () =>
    (await model.optimizer.getWeights()).map(({ tensor }) => [...tensor.dataSync()]);
  const before = [weightsOf(model), await accumulations()];
  plant(faults[0]!, FAULTS.throwsLate, 2);
  const error = await failure(model, { workers: [workers[0]!], names: ['left'] });
  expect(error).toMatchObject({ rank: 0, failure: 'threw', steps: 0 });
  expect(error.message).toMatch(/No replica is left/);
  expect([weightsOf(model), await accumulations()]).toEqual(before);
  heal(faults[0]!);
});

test(`a replica that stalls, ${REPETITIONS} times`, async () => {
  const random = seededRandom(5);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rank = repetition % 2;
    const model = build();
    const calls = random.integer(1, 5);
    plant(faults[rank]!, FAULTS.stalls, calls);
    const error = await failure(model, { timeoutMs: stalledMs });
    await expectWhole(model, error, rank, 'stalled');
    expect(error.steps).toBe(calls - 1);
    heal(faults[rank]!);
  }
  await expectUsable();
});

test(`a replica that is killed at any time, ${REPETITIONS} times`, async () => {
  const random = seededRandom(6);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rank = repetition % 2;
    const model = build();
    const error = failure(model, {
      onProgress: ({ step }) => {
        if (step === 2) sleep(random.uniform() * 12).then(() => workers[rank]!.terminate());
      },
    });
    await expectWhole(model, await error, rank, 'exited');
    expect((await error).steps).toBeGreaterThanOrEqual(2);
    workers[rank] = start(rank);
  }
  await expectUsable();
});

test(`unequal and empty batches, ${REPETITIONS} times`, async () => {
  const random = seededRandom(7);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const shares =
      repetition % 4 === 0 ? [repetition % 8 === 0 ? 1 : 0, 0] : [random.uniform(), random.uniform()];
    if (shares[0] === 0) shares[1] = 1;
    const model = build();
    const { steps } = await watched(
      trainReplicas(model, endless, { workers, names: NAMES, shares, steps: 6 }),
    );
    await expectSteps(model, steps);
  }
});

test('all replicas killed: the model is as it was, to the bit', async () => {
  const model = build();
  const before = weightsOf(model);
  const error = await failure(model, {
    onProgress: ({ step }) => {
      if (step === 3) for (const worker of workers) worker.terminate();
    },
  });
  expect(error).toMatchObject({ failure: 'exited', steps: 0 });
  expect(error.message).toMatch(/No replica is left/);
  expect(weightsOf(model)).toEqual(before);
  for (const rank of workers.keys()) workers[rank] = start(rank);
});

test('a replica that never starts is named, and one that has exited before', async () => {
  const model = build();
  const { Worker } = await import('node:worker_threads');
  const idle = new Worker('setInterval(() => {}, 1000)', { eval: true });
  // The other one has started, and is fast to join.
  await expectUsable();
  const silent = await failure(model, { workers: [workers[0]!, idle], timeoutMs: stalledMs });
  await expectWhole(model, silent, 1, 'stalled');
  expect(silent.message).toMatch(/has not called serveReplica/);
  await idle.terminate();
  await expectWhole(model, await failure(model, { workers: [workers[0]!, idle] }), 1, 'exited');
  const broken = new Worker('throw new Error("no such file")', { eval: true });
  const error = await failure(model, { workers: [broken, workers[1]!] });
  await expectWhole(model, error, 0, 'threw');
  expect(error.message).toMatch(/no such file/);
});

test('an abort ends training at once, with the weights of the last whole step', async () => {
  const model = build();
  const controller = new AbortController();
  let last = 0;
  const error = await failure(model, {
    signal: controller.signal,
    onProgress: ({ step }) => {
      last = step;
      if (step === 3) controller.abort(new RangeError('enough'));
    },
  });
  expect(error).toBeInstanceOf(RangeError);
  expect(last).toBe(3);
  // Another step or two may have been taken while the news of the third was on its way.
  const off: number[] = [];
  for (const steps of [2, 3, 4, 5]) {
    await expectSteps(model, steps).catch(() => off.push(steps));
  }
  expect(off).toHaveLength(3);
  expect(off[0]).toBe(2);
  const aborted = trainReplicas(model, endless, {
    workers,
    signal: AbortSignal.abort(new RangeError('before')),
  });
  await expect(aborted).rejects.toThrow('before');
  await expectUsable();
});

test('data that throws, or is none, ends training likewise', async () => {
  const model = build();
  function* broken() {
    yield cloned(BATCHES[0]!);
    throw new RangeError('no more data');
  }
  await expect(watched(trainReplicas(model, broken(), { workers }))).rejects.toThrow('no more data');
  await expectUsable();
  const run = (data: unknown) => watched(trainReplicas(build(), data as [], { workers }));
  await expect(run(3)).rejects.toThrow(ReplicaSetupError);
  const nothing = trainReplicas(build(), null as unknown as [], { workers, epochs: 2 });
  await expect(nothing).rejects.toThrow(ReplicaSetupError);
  await expect(run([])).rejects.toThrow(/batches in each epoch, got none/);
  await expect(run([{ xs: [[1, 2, 3]], ys: [[1, 2]] }])).rejects.toThrow(ReplicaSetupError);
  await expect(run([{ xs: tf.ones([2, 3]) }])).rejects.toThrow(/batches as \{xs, ys\}/);
  await expect(run([{ xs: tf.ones([2, 3]), ys: tf.ones([3, 2]) }])).rejects.toThrow(/as many samples.*2, 3/);
});

test('values that are not finite end the step before anything is changed', async () => {
  const model = build();
  const nan = { xs: tf.ones([4, 3]), ys: tf.fill([4, 2], Number.NaN) };
  const batches = [BATCHES[0]!, BATCHES[1]!, nan];
  const error = await watched(
    trainReplicas(model, batches, { workers, names: NAMES }).catch((error) => error),
  );
  expect(error).toMatchObject({ failure: 'threw', steps: 2 });
  expect(error.message).toMatch(/gradient of .* is not finite/);
  await expectSteps(model, 2);
});

test('values that are not finite are blamed on the replica that has them, though all find them', async () => {
  const xs = Float32Array.from({ length: 24 }, (_, i) => (i === 20 ? Number.NaN : i));
  const batch = { xs: tf.tensor2d(xs, [8, 3]), ys: tf.ones([8, 2]) };
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const model = build();
    const run = trainReplicas(model, [batch], { workers, names: NAMES });
    const error = await watched(run.catch((error) => error));
    await expectWhole(model, error, 1, 'threw');
    expect(error.message).toMatch(/the batch of replica 1 has moments that are not finite/);
  }
});

test('a replica that comes to other weights is found out, and the model is as it was', async () => {
  const model = build();
  const before = weightsOf(model);
  plant(faults[1]!, FAULTS.drifts, 1);
  const run = trainReplicas(model, BATCHES, { workers, names: NAMES });
  await expect(watched(run)).rejects.toThrow(
    /replica 1 \('right'\) has come to other weights than replica 0/,
  );
  expect(weightsOf(model)).toEqual(before);
  heal(faults[1]!);
});

test('a failed step leaks nothing in the workers', async () => {
  const tensors = () => Promise.all(workers.map((worker) => ask(worker, { kind: 'tensors' })));
  await expectUsable();
  const before = await tensors();
  for (const fault of [FAULTS.throws, FAULTS.throwsLate]) {
    plant(faults[1]!, fault, 3);
    await failure(build());
    heal(faults[1]!);
  }
  expect(await tensors()).toEqual(before);
});
