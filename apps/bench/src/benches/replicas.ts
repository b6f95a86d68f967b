// Data-parallel training on two cores against one process, and what adding up the gradients takes of it.

import { Worker } from 'node:worker_threads';
import { convert } from '@rebatch/layers';
import { convertToSync, type TrainingBatch, trainReplicas } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure, summarize } from '../measure.ts';
import { buildCnn, CNN_INPUT } from '../model.ts';

const BATCH = 128;
const REPLICAS = 2;
/** Steps per run: starting and ending a run of replicas is part of what is measured. */
const STEPS = 12;
/** Steps until the code of all threads is compiled, and runs of which each gives a share of the reduce. */
const [WARM_UP, RUNS] = [24, 5];

export const replicas: Bench = {
  name: 'replicas',
  summary: `${STEPS} steps of ${REPLICAS} replicas of a 16-32-64 CNN with SyncBN against one process; the reduce's share`,
  cases: () => [speed(), reduce()],
};

function speed(): BenchCase {
  return {
    case: `${REPLICAS} replicas, ${STEPS} steps`,
    backend: 'wasm',
    shape: formatShape([BATCH, ...CNN_INPUT]),
    peer: 'one process',
    target: 1.6,
    measure: () =>
      withReplicas(async (model, batch, workers) => {
        const single = compiled(convert(buildCnn()));
        const ours = (steps: number) => trainReplicas(model, again(batch, steps), { workers });
        const peer = async (steps: number) => {
          for (const { xs, ys } of again(batch, steps)) {
            await single.trainOnBatch(xs as tf.Tensor, ys as tf.Tensor);
          }
        };
        try {
          return await measure(
            { run: () => ours(STEPS), warmUp: () => ours(WARM_UP) },
            { run: () => peer(STEPS), warmUp: () => peer(WARM_UP) },
            { pairs: [5, 5] },
          );
        } finally {
          single.dispose();
        }
      }),
  };
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

async function withReplicas<T>(
  use: (model: tfl.LayersModel, batch: TrainingBatch, workers: Worker[]) => Promise<T>,
): Promise<T> {
  await useBackend('wasm');
  const model = compiled(convertToSync(buildCnn()));
  const labels = Int32Array.from({ length: BATCH }, (_, at) => at % 10);
  const batch = {
    xs: randomTensor([BATCH, ...CNN_INPUT], 1),
    ys: tf.tidy(() => tf.cast(tf.oneHot(labels, 10), 'float32')),
  };
  const file = new URL('../../bin/replica.js', import.meta.url);
  const workers = Array.from({ length: REPLICAS }, () => new Worker(file));
  try {
    return await use(model, batch, workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    tf.dispose([batch.xs, batch.ys]);
    model.dispose();
  }
}

function compiled(model: tfl.LayersModel): tfl.LayersModel {
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
  return model;
}

const again = (batch: TrainingBatch, steps: number) => Array.from({ length: steps }, () => batch);
