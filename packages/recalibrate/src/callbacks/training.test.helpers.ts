// A small training that is the same each time: same weights, data, shuffles and dropout.

import { cut, makeBlocks, makeSequential, setWeights, tensorOf } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import type * as tfl from '@tensorflow/tfjs-layers';
import { vi } from 'vitest';

export const WIDTH = 4;
const random = seededRandom(11);
const blocks = makeBlocks(random, [WIDTH, 5, 3]);
const inputs = random.normals(32 * WIDTH, 1, 2);
const head = random.normals(6);
const labels = random.normals(32 * 2);
/** What statistics are computed from: batches of 8. */
export const rows = cut(random.normals(32 * WIDTH, 1, 2), WIDTH, 8);
export const validation = { xs: random.normals(12 * WIDTH, 1, 2), ys: random.normals(12 * 2) };

/** Dense, BN and relu twice, dropout, head; compiled. The moving statistics are far off. */
export function compiled(): tfl.Sequential {
  const model = makeSequential(blocks);
  setWeights(model.getLayer('head'), [head, new Float32Array(2)]);
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'meanSquaredError', metrics: ['mae'] });
  return model;
}

/** A data set that makes new tensors each time it is read. */
export const datasetOf = (xs: Float32Array, ys: Float32Array, size: number) =>
  tfd.generator(async function* () {
    for (let at = 0; at < xs.length / WIDTH; at += size) {
      yield {
        xs: tensorOf(xs.slice(at * WIDTH, (at + size) * WIDTH), WIDTH),
        ys: tensorOf(ys.slice(at * 2, (at + size) * 2), 2),
      };
    }
  } as never) as tfd.Dataset<{ xs: tf.Tensor; ys: tf.Tensor }>;

export const WAYS = ['fit', 'fitDataset'] as const;

export type Callbacks = tfl.ModelFitArgs['callbacks'];

/** Trains 32 samples in batches of 8, with a Math.random (shuffles, dropout) that is the same each time. */
export async function train(
  model: tfl.LayersModel,
  way: (typeof WAYS)[number],
  callbacks: Callbacks,
  epochs = 5,
): Promise<tfl.History> {
  const dice = seededRandom(99);
  const mock = vi.spyOn(Math, 'random').mockImplementation(() => dice.uniform());
  const tensors = [tensorOf(inputs, WIDTH), tensorOf(labels, 2)] as const;
  const options = { epochs, callbacks: callbacks as tfl.CustomCallback[], verbose: 0 } as const;
  try {
    return way === 'fit'
      ? await model.fit(...tensors, { ...options, batchSize: 8, yieldEvery: 'never' })
      : await model.fitDataset(datasetOf(inputs, labels, 8), options);
  } finally {
    tf.dispose([...tensors]);
    mock.mockRestore();
  }
}

/** The optimizer's state, too, would show a step that was taken differently. */
export async function stateOf(model: tfl.LayersModel): Promise<number[][]> {
  const state = (await model.optimizer.getWeights()).map(({ tensor }) => tensor);
  return [...model.getWeights(), ...state].map((weight) => [...weight.dataSync()]);
}
