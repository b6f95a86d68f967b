// How many digits a network gets wrong: worker side.

import { imageTensor, type LabeledImages, ranges } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

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

/**
 * The share of all digits that the model gets wrong, 0 to 1, in the inference mode of its layers. To measure under
 * mini-batch statistics, call it within `withStatistics` of @rebatch/models.
 */
export function errorRate(
  model: tfl.LayersModel,
  digits: LabeledImages,
  options: Omit<BatchErrorOptions, 'training'> = {},
): Promise<number> {
  return errorInBatches(model, digits, ranges(digits.size, 250), options);
}
