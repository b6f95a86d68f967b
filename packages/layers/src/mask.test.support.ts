// A batch of sequences that are padded, and what a layer behind it measured.
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  type BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
  batchNormLayers,
} from './index.ts';

/** Two sequences of 4 steps: the valid ones have means 5 and 6 and variances 8, all of them 3.125, 3.75, 10.86, 13.44. */
export const PADDED = () =>
  tf.tensor3d(
    [
      [1, 2, 3, 4, 5, 6, 0, 0],
      [7, 8, 9, 10, 0, 0, 0, 0],
    ].map((sequence) => [0, 2, 4, 6].map((at) => sequence.slice(at, at + 2))),
  );
export const VALID = { mean: [5, 6], variance: [8, 8] };
export const ALL = { mean: [3.125, 3.75], variance: [10.859375, 13.4375] };

export const plain = (more: BatchNormalizationConfig = {}) =>
  batchNormalization({ momentum: 0, center: false, scale: false, ...more });

/** The moving statistics of the last batch normalization of a model, after a training call: those of that batch. */
export function seen(model: tfl.layers.Layer, x: tf.Tensor | tf.Tensor[]) {
  tf.tidy(() => void model.apply(x, { training: true }));
  const { movingMean, movingVariance } = batchNormLayers(model).at(-1) as BatchNormalization;
  return {
    mean: [...movingMean.read().dataSync()],
    variance: [...movingVariance.read().dataSync()],
  };
}

export function expectSeen(actual: ReturnType<typeof seen>, expected: typeof VALID) {
  expectClose(actual.mean, expected.mean, 1e-5, 'mean');
  expectClose(actual.variance, expected.variance, 1e-5, 'variance');
}
