// Data-parallel training over real threads, against one process that trains the stock model on whole batches.
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { type ReplicasProgress, type TrainingData, trainReplicas } from '../index.ts';
import {
  buildCnn,
  buildDense,
  imageBatches,
  synchronized,
  trainHere,
  vectorBatches,
  weightsOf,
} from '../testing/models.test.support.ts';
import { ask, useThreads, watched } from '../testing/threads.test.support.ts';

const TOLERANCE = 1e-5;
const CNN = { loss: 'categoricalCrossentropy', metrics: ['accuracy'] };

const { workers } = useThreads([{}, {}, {}]);

function expectSameWeights(model: tfl.LayersModel, expected: readonly Float32Array[]): void {
  weightsOf(model).forEach((values, at) => {
    expectClose(values, expected[at]!, TOLERANCE, model.weights[at]!.name);
  });
}

describe('the same weights as one process with the whole batches', () => {
  const optimizers: Record<string, () => tf.Optimizer> = {
    'momentum SGD': () => tf.train.momentum(0.05, 0.9),
    Adam: () => tf.train.adam(0.005),
  };

  test.each([
    ['momentum SGD', 'equal shards of 2 replicas', 2, undefined],
    ['Adam', 'equal shards of 3 replicas', 3, undefined],
    ['momentum SGD', 'unequal shards', 3, [5, 1, 2]],
    ['Adam', 'unequal shards', 2, [3, 1]],
    ['momentum SGD', 'a replica without samples', 3, [1, 0, 1]],
    ['Adam', 'a first replica without samples', 2, [0, 1]],
  ])('%s, %s', async (name, _, replicas, shares) => {
    const batches = imageBatches([9, 10, 7, 9, 8, 5, 12, 9]);
    const args = () => ({ ...CNN, optimizer: optimizers[name]!() });
    const [reference, model] = [buildCnn(), synchronized(buildCnn(), args())];
    reference.compile(args());
    const expected = await trainHere(reference, batches);
    const report = await watched(
      trainReplicas(model, batches, {
        workers: workers.slice(0, replicas),
        ...(shares === undefined ? {} : { shares }),
      }),
    );
    expectSameWeights(model, expected.at(-1)!);
    expect(report).toMatchObject({ steps: 8, samples: 69 });
  });

  test('in several calls, of which each goes on where the one before it ended', async () => {
    const batches = imageBatches([8, 7, 9, 8]);
    const args = () => ({ ...CNN, optimizer: tf.train.adam(0.01) });
    const [reference, model] = [buildCnn(), synchronized(buildCnn(), args())];
    reference.compile(args());
    const expected = await trainHere(reference, batches);
    for (const half of [batches.slice(0, 2), batches.slice(2)]) {
      await watched(trainReplicas(model, half, { workers: workers.slice(0, 2) }));
    }
    expectSameWeights(model, expected.at(-1)!);
    // And on the main thread, with the optimizer's state that came back.
    const more = imageBatches([6], 9);
    const [, last] = await trainHere(reference, more);
    await trainHere(model, more);
    expectSameWeights(model, last!);
  });

  test('with weights that are frozen', async () => {
    const batches = imageBatches([8, 7, 9]);
    const build = () => {
      const model = buildCnn();
      model.layers[3]!.trainable = false;
      model.layers[4]!.trainable = false;
      return model;
    };
    const args = () => ({ ...CNN, optimizer: tf.train.rmsprop(0.005) });
    const [reference, model] = [build(), synchronized(build(), args())];
    reference.compile(args());
    const expected = await trainHere(reference, batches);
    await watched(trainReplicas(model, batches, { workers: workers.slice(0, 2) }));
    expectSameWeights(model, expected.at(-1)!);
  });

  test('in batches so small that replicas go without', async () => {
    const batches = vectorBatches([2, 5, 2, 3]);
    const args = () => ({ loss: 'meanSquaredError', optimizer: tf.train.momentum(0.02, 0.5) });
    const [reference, model] = [buildDense(), synchronized(buildDense(), args())];
    reference.compile(args());
    const expected = await trainHere(reference, batches);
    await watched(trainReplicas(model, batches, { workers }));
    expectSameWeights(model, expected.at(-1)!);
  });
});

test('losses and metrics are those of the whole batches, per step and per epoch', async () => {
  const batches = imageBatches([9, 6, 8]);
  const args = () => ({ ...CNN, optimizer: tf.train.sgd(0.05) });
  const [reference, model] = [buildCnn(), synchronized(buildCnn(), args())];
  reference.compile(args());
  const seen: ReplicasProgress[] = [];
  const { history, steps, reduceShare, waitShare } = await watched(
    trainReplicas(model, batches, {
      workers: workers.slice(0, 2),
      shares: [2, 1],
      epochs: 2,
      onProgress: (progress) => seen.push(progress),
    }),
  );
  const losses: number[] = [];
  const accuracies: number[] = [];
  for (const { xs, ys } of [...batches, ...batches]) {
    const [loss, accuracy] = (await reference.trainOnBatch(xs as tf.Tensor, ys as tf.Tensor)) as number[];
    losses.push(loss!);
    accuracies.push(accuracy!);
  }
  expectClose(
    seen.map(({ logs }) => logs.loss!),
    losses,
    TOLERANCE,
    'losses',
  );
  expectClose(
    seen.map(({ logs }) => logs.acc!),
    accuracies,
    TOLERANCE,
    'accuracies',
  );
  expect(seen.map(({ step, epoch, samples }) => [step, epoch, samples])).toEqual([
    [1, 0, 9],
    [2, 0, 6],
    [3, 0, 8],
    [4, 1, 9],
    [5, 1, 6],
    [6, 1, 8],
  ]);
  expect(seen[0]!.replicas.map(({ samples }) => samples)).toEqual([6, 3]);
  const mean = (of: number[]) => (of[0]! * 9 + of[1]! * 6 + of[2]! * 8) / 23;
  expectClose(history.loss!, [mean(losses.slice(0, 3)), mean(losses.slice(3))], TOLERANCE, 'history');
  expect(steps).toBe(6);
  for (const share of [reduceShare, waitShare]) {
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  }
});

test('layers that are not synchronized normalize each shard by itself, and keep the mean of their statistics', async () => {
  const [batch] = imageBatches([9]);
  const args = { ...CNN, optimizer: tf.train.sgd(0) };
  const model = buildCnn();
  model.compile(args);
  const bounds = [0, 6, 9];
  const expected = new Float64Array(4);
  for (const at of [0, 1]) {
    const [from, to] = [bounds[at]!, bounds[at + 1]!];
    const alone = buildCnn();
    alone.compile(args);
    const [, after] = await trainHere(alone, [
      {
        xs: tf.slice(batch!.xs as tf.Tensor, from, to - from),
        ys: tf.slice(batch!.ys as tf.Tensor, from, to - from),
      },
    ]);
    const variance = alone.weights.findIndex(({ name }) => /moving_variance/.test(name));
    after![variance]!.forEach((value, c) => {
      expected[c]! += (value * (to - from)) / 9;
    });
  }
  await watched(trainReplicas(model, [batch!], { workers: workers.slice(0, 2), shares: [2, 1] }));
  const variance = model.weights.findIndex(({ name }) => /moving_variance/.test(name));
  expectClose(weightsOf(model)[variance]!, expected, TOLERANCE, 'moving variance');
});

test('data may be a generator, whose tensors are disposed, and steps may end it early', async () => {
  const model = synchronized(buildDense(), { loss: 'meanSquaredError', optimizer: tf.train.sgd(0.01) });
  let closed = false;
  function* endless() {
    try {
      for (;;) yield vectorBatches([4])[0]!;
    } finally {
      closed = true;
    }
  }
  const before = tf.memory().numTensors;
  const { steps } = await watched(
    trainReplicas(model, endless(), { workers: workers.slice(0, 2), steps: 5 }),
  );
  expect([steps, closed]).toEqual([5, true]);
  expect(tf.memory().numTensors).toBe(before);
});

test('data may be a tf.data.Dataset, read once per epoch', async () => {
  const model = synchronized(buildDense(), { loss: 'meanSquaredError', optimizer: tf.train.sgd(0.01) });
  const rows = Array.from({ length: 10 }, (_, i) => ({ xs: [i, 1, -i], ys: [i / 10, 1] }));
  const dataset = tfd.array(rows).batch(4) as unknown as TrainingData;
  const { steps, samples } = await watched(
    trainReplicas(model, dataset, { workers: workers.slice(0, 2), epochs: 2 }),
  );
  expect([steps, samples]).toEqual([6, 20]);
});

test('a loss that is a function must be given to the worker, too', async () => {
  const loss = (truth: tf.Tensor, predicted: tf.Tensor) => tf.mean(tf.abs(tf.sub(truth, predicted)), -1);
  const model = synchronized(buildDense(), { loss, optimizer: 'sgd' });
  const run = watched(trainReplicas(model, vectorBatches([4]), { workers: workers.slice(0, 2) }));
  await expect(run).rejects.toThrow(/function as its loss.*serveReplica\(port, \{ loss \}\)/);
});

test('several inputs and outputs, by name or in a list', async () => {
  const build = () => {
    const kernelInitializer = tfl.initializers.glorotUniform({ seed: 3 });
    const a = tfl.input({ shape: [3], name: 'a' });
    const b = tfl.input({ shape: [3], name: 'b' });
    const sum = tfl.layers.add().apply([a, b]) as tfl.SymbolicTensor;
    const normal = tfl.layers.batchNormalization().apply(sum) as tfl.SymbolicTensor;
    const heads = ['p', 'q'].map(
      (name) => tfl.layers.dense({ units: 1, name, kernelInitializer }).apply(normal) as tfl.SymbolicTensor,
    );
    return tfl.model({ inputs: [a, b], outputs: heads });
  };
  const args = () => ({ loss: ['meanSquaredError', 'meanAbsoluteError'], optimizer: tf.train.sgd(0.05) });
  const [reference, model] = [build(), synchronized(build(), args())];
  reference.compile(args());
  const [first, second] = vectorBatches([7, 7]) as { xs: tf.Tensor; ys: tf.Tensor }[];
  const [p, q] = tf.split(first!.ys, 2, 1) as [tf.Tensor, tf.Tensor];
  await reference.trainOnBatch([first!.xs, second!.xs], [p, q]);
  await reference.trainOnBatch([first!.xs, second!.xs], [p, q]);
  const batches = [
    { xs: [first!.xs, second!.xs], ys: [p, q] },
    { xs: { b: second!.xs, a: first!.xs }, ys: { q, p } },
  ];
  await watched(trainReplicas(model, batches, { workers: workers.slice(0, 2) }));
  expectSameWeights(model, weightsOf(reference));
});

test('leaks nothing, here or in the workers', async () => {
  const model = synchronized(buildCnn(), { ...CNN, optimizer: tf.train.adam(0.01) });
  const batches = imageBatches([8, 9, 4]);
  const tensors = () => Promise.all(workers.slice(0, 2).map((worker) => ask(worker, { kind: 'tensors' })));
  const train = () =>
    watched(trainReplicas(model, batches, { workers: workers.slice(0, 2), shares: [1, 2] }));
  await train();
  const before = await tensors();
  await expectNoLeaks(tf, train);
  expect(await tensors()).toEqual(before);
});
