// Population statistics of a network in training, and errors in batches of one's own choice. Worker side.

import { imageTensor, type LabeledImages, ranges } from '@rebatch/digits';
import { recalibrate } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Digits per population estimate; the paper finds a thousand near optimal. */
const SAMPLES = 1_000;

/**
 * Puts the model on precise statistics of the first thousand digits. Layer by layer, so that they are exact, and no error
 * under them is owed to the size of the batches they were computed in.
 */
export async function usePopulation(
  model: tfl.LayersModel,
  digits: LabeledImages,
  signal: AbortSignal,
): Promise<void> {
  const samples = Math.min(SAMPLES, digits.size);
  const batches: Iterable<tf.Tensor> = {
    *[Symbol.iterator]() {
      for (const indices of ranges(samples, 250)) yield imageTensor(digits, indices);
    },
  };
  await recalibrate(model, batches, { mode: 'layerwise', samples, signal });
}

export interface BatchErrorOptions {
  /**
   * Runs the layers as in training, whatever normalizes there; that also moves their moving statistics. Default false: as
   * at inference.
   */
  readonly training?: boolean;
  /** Called between batches. */
  readonly breathe?: () => Promise<void>;
}

/** The share of digits that the model gets wrong when they come in these batches, 0 to 1. */
export async function errorInBatches(
  model: tfl.LayersModel,
  digits: LabeledImages,
  batches: Iterable<readonly number[]>,
  { training = false, breathe = async () => {} }: BatchErrorOptions = {},
): Promise<number> {
  let [wrong, all] = [0, 0];
  for (const indices of batches) {
    await breathe();
    const predicted = tf.tidy(() =>
      tf.argMax(model.apply(imageTensor(digits, indices), { training }) as tf.Tensor, -1),
    );
    try {
      const classes = await predicted.data();
      indices.forEach((index, at) => {
        if (classes[at] !== digits.labels[index]) wrong++;
      });
    } finally {
      predicted.dispose();
    }
    all += indices.length;
  }
  return wrong / all;
}
