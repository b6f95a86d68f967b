// A tiny classifier on a task where labels show weakly in a sample, and clearly in a normalization batch of one label: a
// feature that is on for a share p of the samples becomes -sqrt(p / (1 - p)) where it is off, which tells p to every one.
import { batchNormalization } from '@rebatch/layers';
import { type SeededRandom, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type Batches, groupedBatches, iidBatches } from '../index.ts';

export const GROUP_SIZE = 32;
const [CLASSES, FEATURES] = [2, 6];

export interface TinyData {
  readonly xs: Float32Array;
  readonly labels: number[];
}

/** Two classes; each feature is on more often for one of them. */
export function tinyData(random: SeededRandom, samples: number): TinyData {
  const labels = Array.from({ length: samples }, (_, i) => i % CLASSES);
  const xs = Float32Array.from({ length: samples * FEATURES }, (_, i) => {
    const often = labels[Math.floor(i / FEATURES)] === i % CLASSES;
    return random.uniform() < (often ? 0.5 : 0.15) ? 1 : 0;
  });
  return { xs, labels };
}

export function tensorsOf({ xs, labels }: TinyData, rows = labels.map((_, i) => i)) {
  const values = rows.flatMap((row) => [...xs.subarray(row * FEATURES, (row + 1) * FEATURES)]);
  return {
    xs: tf.tensor2d(values, [rows.length, FEATURES]),
    ys: tf.tensor2d(
      rows.flatMap((row) => (labels[row] === 0 ? [1, 0] : [0, 1])),
      [rows.length, CLASSES],
    ),
  };
}

/** Trains in normalization batches of one label each, or of samples drawn anyhow. */
export function trainTiny(data: TinyData, seed: number, batches: 'class-grouped' | 'iid', steps = 60) {
  const random = seededRandom(seed);
  const dense = (units: number, options: object = {}) =>
    tfl.layers.dense({
      units,
      kernelInitializer: tfl.initializers.glorotUniform({ seed: random.integer(1, 1e6) }),
      ...options,
    });
  const bn = (options: object = {}) =>
    batchNormalization({ momentum: 0.9, normalizationBatchSize: GROUP_SIZE, ...options });
  const model = tfl.sequential({
    layers: [
      bn({ inputShape: [FEATURES] }),
      dense(16),
      tfl.layers.reLU(),
      bn(),
      tfl.layers.activation({ activation: 'tanh' }),
      dense(CLASSES, { activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.03), loss: 'categoricalCrossentropy' });
  const batchSize = 2 * GROUP_SIZE;
  const sampler: Batches =
    batches === 'iid'
      ? iidBatches({ samples: data.labels.length, batchSize, seed })
      : groupedBatches({ by: data.labels, groupSize: GROUP_SIZE, batchSize, seed });
  const optimizer = model.optimizer;
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { xs, ys } = tensorsOf(data, sampler.next().value);
      optimizer.minimize(
        () =>
          tf.mean(
            tfl.metrics.categoricalCrossentropy(ys, model.apply(xs, { training: true }) as tf.Tensor),
          ) as tf.Scalar,
      );
    });
  }
  return model;
}
