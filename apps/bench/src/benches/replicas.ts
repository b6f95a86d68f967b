// Data-parallel training on two cores against one process, and what adding up the gradients takes of it.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { convert } from '@rebatch/layers';
import { convertToSync } from '@rebatch/leakage';
import { type TrainingBatch, trainReplicas } from '@rebatch/replicas';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { type Measurement, measure, summarize } from '../measure.ts';
import { buildCnn, CNN_INPUT, compiledForDigits, randomDigits } from '../model.ts';

const BATCH = 128;
const REPLICAS = 2;
/** Steps per run: starting and ending a run of replicas is part of what is measured. */
const STEPS = 12;
/** Steps per run that is long enough for its start and end to count for little. */
const LONG = 100;
/** Units of a dense layer onto itself: a tenth of the weights of ResNet-50, and as many. */
const WEIGHTS = [1600, 5060];
/** Steps until the code of all threads is compiled, and runs of which each gives a share of the reduce. */
const [WARM_UP, RUNS] = [24, 5];

export const replicas: Bench = {
  name: 'replicas',
  summary: `${REPLICAS} replicas of a 16-32-64 CNN with SyncBN against one process; the machine's bound; the reduce's share`,
  cases: () => [speed(STEPS, 5, 1.4), bound(), speed(LONG, 3, 1.6), reduce(), ...WEIGHTS.map(reduceOf)],
};

function speed(steps: number, pairs: number, target?: number): BenchCase {
  return {
    case: `${REPLICAS} replicas, ${steps} steps`,
    backend: 'wasm',
    shape: formatShape([BATCH, ...CNN_INPUT]),
    peer: 'one process',
    ...(target === undefined ? {} : { target }),
    measure: () =>
      withReplicas((model, batch, workers) =>
        againstOneProcess((count) => trainReplicas(model, again(batch, count), { workers }), steps, pairs),
      ),
  };
}

/** What the machine allows: as many threads with as many samples each, that never wait and exchange nothing. */
function bound(): BenchCase {
  return {
    case: `${REPLICAS} threads that share nothing, ${STEPS} steps: the bound`,
    backend: 'wasm',
    shape: formatShape([BATCH, ...CNN_INPUT]),
    peer: 'one process',
    measure: () =>
      withWorkers('alone', (workers) =>
        againstOneProcess(
          (count) =>
            Promise.all(
              workers.map((worker) => {
                worker.postMessage(count);
                return once(worker, 'message');
              }),
            ),
          STEPS,
          5,
        ),
      ),
  };
}

/** `run`, and as many steps of a model in this thread with all samples, in so many pairs. */
async function againstOneProcess(
  run: (steps: number) => unknown,
  steps: number,
  pairs: number,
): Promise<Measurement> {
  const single = compiledForDigits(convert(buildCnn()));
  const { xs, ys } = randomDigits(BATCH);
  const peer = async (count: number) => {
    for (let step = 0; step < count; step++) await single.trainOnBatch(xs, ys);
  };
  try {
    return await measure(
      { run: () => run(steps), warmUp: () => run(WARM_UP) },
      { run: () => peer(steps), warmUp: () => peer(WARM_UP) },
      { pairs: [pairs, pairs] },
    );
  } finally {
    tf.dispose([xs, ys]);
    single.dispose();
  }
}

/** Here `ours_ms` is adding up gradients and averaging statistics in a step, without waiting, and `peer_ms` the step. */
function reduce(): BenchCase {
  return {
    case: 'reduce, share of a step',
    backend: 'wasm',
    shape: formatShape([BATCH, ...CNN_INPUT]),
    peer: 'the step',
    target: 20,
    measure: () =>
      withReplicas(async (model, batch, workers) => {
        const run = (steps: number) => trainReplicas(model, again(batch, steps), { workers });
        await run(WARM_UP);
        const pairs: [number, number][] = [];
        for (let at = 0; at < RUNS; at++) {
          const { ms, steps, reduceShare } = await run(STEPS);
          pairs.push([(ms * reduceShare) / steps, ms / steps]);
        }
        return summarize(pairs);
      }),
  };
}

/** The same where nearly everything in a step is weights: a dense layer of that many units, and a sample per replica. */
function reduceOf(units: number): BenchCase {
  return {
    case: `reduce, ${(units ** 2 / 1e6).toFixed(1)} million weights`,
    backend: 'wasm',
    shape: formatShape([REPLICAS, units]),
    peer: 'the step',
    measure: () =>
      withReplicas(
        async (model, batch, workers) => {
          const pairs: [number, number][] = [];
          for (let at = 0; at <= 3; at++) {
            const { ms, steps, reduceShare } = await trainReplicas(model, again(batch, 2), { workers });
            // The first one compiles.
            if (at > 0) pairs.push([(ms * reduceShare) / steps, ms / steps]);
          }
          return summarize(pairs);
        },
        () => ({
          model: denseOnto(units),
          batch: { xs: tf.ones([REPLICAS, units]), ys: tf.ones([REPLICAS, units]) },
        }),
      ),
  };
}

function denseOnto(units: number): tfl.LayersModel {
  const model = tfl.sequential();
  model.add(tfl.layers.dense({ units, inputShape: [units], useBias: false, kernelInitializer: 'zeros' }));
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'meanSquaredError' });
  return model;
}

const digits = () => ({ model: compiledForDigits(convertToSync(buildCnn())), batch: randomDigits(BATCH) });

async function withReplicas<T>(
  use: (model: tfl.LayersModel, batch: TrainingBatch, workers: Worker[]) => Promise<T>,
  make: () => { readonly model: tfl.LayersModel; readonly batch: { xs: tf.Tensor; ys: tf.Tensor } } = digits,
): Promise<T> {
  await useBackend('wasm');
  const { model, batch } = make();
  try {
    return await withWorkers('replica', (workers) => use(model, batch, workers));
  } finally {
    tf.dispose([batch.xs, batch.ys]);
    model.dispose();
  }
}

/** Threads of that entry point, with their share of a batch's samples as data. */
async function withWorkers<T>(
  entry: 'replica' | 'alone',
  use: (workers: Worker[]) => Promise<T>,
): Promise<T> {
  await useBackend('wasm');
  const file = new URL(`../../bin/${entry}.js`, import.meta.url);
  const start = () => new Worker(file, { workerData: BATCH / REPLICAS });
  const workers = Array.from({ length: REPLICAS }, start);
  try {
    return await use(workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const again = (batch: TrainingBatch, steps: number) => Array.from({ length: steps }, () => batch);
