// Our side of what PyTorch is given: the same network with the same weights, or batch normalization alone.

import * as tf from '@tensorflow/tfjs-core';
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
  readonly dispose: () => void;
}

/** A training step of SGD with momentum, on noise. */
export async function oursNetwork(network: Network, batch: number): Promise<OurSide> {
  await useBackend('wasm');
  const { model, weights: trained } = buildNetwork(network);
  const optimizer = tf.train.momentum(RATE, MOMENTUM);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const classes = Int32Array.from({ length: batch }, (_, at) => (at * 7) % CLASSES);
  const x = randomTensor([batch, ...network.input], 1);
  const labels = tf.tidy(() => tf.cast(tf.oneHot(classes, CLASSES), 'float32'));
  const weights = () => trained().map((weight) => Float32Array.from(weight.dataSync()));
  return {
    values: [...weights(), Float32Array.from(x.dataSync()), Float32Array.from(classes)],
    run: () => model.trainOnBatch(x, labels),
    solve: async () => joined([[(await model.trainOnBatch(x, labels)) as number], ...weights()]),
    dispose: () => {
      tf.dispose([x, labels]);
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
