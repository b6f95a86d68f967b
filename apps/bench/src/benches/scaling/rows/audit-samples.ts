// The leakage audit against the forwards that it is made of: it is not to wait for anything in between.

import { convert } from '@rebatch/layers';
import { auditLeakage } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from '../../../backends.ts';
import type { ScalingRow } from '../scaling-row.ts';

const [FEATURES, GROUP, PERMUTATIONS, AT_ONCE] = [8, 16, 19, 256];

export const auditSamples: ScalingRow = {
  case: 'audit of a small model',
  backend: 'wasm',
  sizes: [256, 1024, 4096],
  unit: 'samples',
  peer: 'as many forwards and losses',
  target: 1 / 3,
  note: 'Regrouping the samples, and losses of labels dealt by chance, are ours alone.',
  options: { budgetMs: 3000, pairs: [3, 15] },
  sides: (samples) => {
    const model = compiled();
    const xs = randomTensor([samples, FEATURES], 1);
    const ys = tf.tensor2d(
      Array.from({ length: samples }, (_, i) => i % 2),
      [samples, 1],
    );
    const options = {
      groupOf: (i: number) => i % 2,
      groupSize: GROUP,
      permutations: PERMUTATIONS,
      level: 0.1,
    };
    return {
      ours: { run: () => auditLeakage(model, [{ xs, ys }], { ...options, samples }) },
      peer: { run: () => forwards(model, xs, ys) },
      dispose: () => void model.dispose(),
    };
  },
};

function compiled(): tfl.LayersModel {
  const model = tfl.sequential();
  model.add(tfl.layers.dense({ units: 16, inputShape: [FEATURES] }));
  model.add(tfl.layers.batchNormalization());
  model.add(tfl.layers.reLU());
  model.add(tfl.layers.dense({ units: 1, activation: 'sigmoid' }));
  model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy' });
  return convert(model);
}

/** One with the own groups, one by population, one for each regrouping. */
function forwards(model: tfl.LayersModel, xs: tf.Tensor, ys: tf.Tensor): void {
  for (let time = 0; time < 2 + PERMUTATIONS; time++) {
    for (let start = 0; start < xs.shape[0]!; start += AT_ONCE) {
      tf.tidy(() => {
        const [x, y] = [tf.slice(xs, start, AT_ONCE), tf.slice(ys, start, AT_ONCE)];
        tfl.metrics.binaryCrossentropy(y, model.predictOnBatch(x) as tf.Tensor).dataSync();
      });
    }
  }
}
