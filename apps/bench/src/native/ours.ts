// Our side of what PyTorch is given: the same network with the same weights, or batch normalization alone.

import { Worker } from 'node:worker_threads';
import { syncBatchNormalization } from '@rebatch/leakage';
import { trainReplicas } from '@rebatch/replicas';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor, useBackend } from '../backends.ts';
import type { Side } from '../measure.ts';
import { buildNetwork, type Network } from './network.ts';

export const [RATE, MOMENTUM] = [0.05, 0.9];
const CLASSES = 10;

export interface OurSide extends Side {
  /** Everything that the peer is to be given, before the first step. */
  readonly values: readonly Float32Array[];
  /** One step; its results, as PyTorch's are. */
  readonly solve: () => Promise<Float32Array>;
  readonly dispose: () => Promise<void>;
}

/** A training step of SGD with momentum, on noise. */
export const oursNetwork = (network: Network, batch: number) =>
  ourSide(network, batch, {
    steps: async (model, { xs, ys }) => (await model.trainOnBatch(xs, ys)) as number,
    close: async () => {},
  });

/** The same by replicas, each on a thread of its own with its share of the samples, in so many steps a run. */
export async function oursReplicas(network: Network, batch: number, replicas: number, steps: number) {
  const file = new URL('../../bin/replica.js', import.meta.url);
  const workers = Array.from({ length: replicas }, () => new Worker(file));
  return ourSide(
    network,
    batch,
    {
      steps: async (model, data, count) => {
        const { history } = await trainReplicas(
          model,
          Array.from({ length: count }, () => data),
          { workers },
        );
        return history.loss![0]!;
      },
      close: async () => {
        await Promise.all(workers.map((worker) => worker.terminate()));
      },
    },
    { norm: () => syncBatchNormalization(), steps },
  );
}

/** How steps are made. */
interface Trainer {
  /** @returns the mean loss of them, each before its step. */
  steps(
    model: tfl.LayersModel,
    data: { readonly xs: tf.Tensor; readonly ys: tf.Tensor },
    count: number,
  ): Promise<number>;
  close(): Promise<void>;
}

async function ourSide(
  network: Network,
  batch: number,
  trainer: Trainer,
  { norm, steps = 1 }: { readonly norm?: () => tfl.layers.Layer; readonly steps?: number } = {},
): Promise<OurSide> {
  await useBackend('wasm');
  const { model, weights: trained } = buildNetwork(network, norm);
  const optimizer = tf.train.momentum(RATE, MOMENTUM);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const classes = Int32Array.from({ length: batch }, (_, at) => (at * 7) % CLASSES);
  const xs = randomTensor([batch, ...network.input], 1);
  const ys = tf.tidy(() => tf.cast(tf.oneHot(classes, CLASSES), 'float32'));
  const weights = () => trained().map((weight) => Float32Array.from(weight.dataSync()));
  return {
    values: [...weights(), Float32Array.from(xs.dataSync()), Float32Array.from(classes)],
    run: () => trainer.steps(model, { xs, ys }, steps),
    solve: async () => joined([[await trainer.steps(model, { xs, ys }, 1)], ...weights()]),
    dispose: async () => {
      await trainer.close();
      tf.dispose([xs, ys]);
      optimizer.dispose();
      model.dispose();
    },
  };
}

/** Values one after the other. */
export function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
