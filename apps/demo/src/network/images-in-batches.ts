// Digits as batches of a model's input: worker side.

import { imageTensor, type LabeledImages, ranges } from '@rebatch/images';
import type * as tf from '@tensorflow/tfjs-core';

/** The first `size` digits, `batch` of them at a time. They can be gone through several times, as layerwise does. */
export function imagesInBatches(digits: LabeledImages, size: number, batch = 250): Iterable<tf.Tensor> {
  return {
    *[Symbol.iterator]() {
      for (const indices of ranges(size, batch)) yield imageTensor(digits, indices);
    },
  };
}
