// A training step: worker side.

import { imageTensor, type LabeledImages, labelTensor } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** One optimizer step on these digits. Returns the loss. */
export async function trainOn(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  digits: LabeledImages,
  indices: readonly number[],
): Promise<number> {
  const loss = tf.tidy(() => {
    const [xs, ys] = [imageTensor(digits, indices), labelTensor(digits, indices)];
    return optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }) as tf.Tensor) as tf.Scalar,
      true,
    ) as tf.Scalar;
  });
  try {
    return (await loss.data())[0] as number;
  } finally {
    loss.dispose();
  }
}

/** The learning rate of a step from 0 on: from the peak to 0 along half a cosine (Loshchilov & Hutter 2017). */
export function cosineDecay(peak: number, step: number, steps: number): number {
  return (peak * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
