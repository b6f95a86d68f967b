// One SGD step by several devices in one thread, as in data-parallel training: each holds a part of the batch, and they
// exchange moments and gradients. Worker side.

import { imageTensor, type LabeledImages, labelTensor } from '@rebatch/images';
import { type Group, inLockstep, setGroup, soloGroup } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * One optimizer step of a model with synchronized layers. Returns the mean loss.
 *
 * @param parts the digits of each device, by index.
 */
export function trainInStep(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  digits: LabeledImages,
  parts: readonly (readonly number[])[],
): number {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  try {
    return tf.tidy(() => {
      const devices = parts.map((indices) => (group: Group) => {
        setGroup(model, group);
        return tf.tidy(() => {
          const [xs, ys] = [imageTensor(digits, indices), labelTensor(digits, indices)];
          // Its share of the loss of all, before the backward pass: what comes back through the moments is of one loss.
          return tf.variableGrads(() => {
            const logits = model.apply(xs, { training: true }) as tf.Tensor;
            return tf.mul(tf.losses.softmaxCrossEntropy(ys, logits), indices.length / total) as tf.Scalar;
          });
        });
      });
      const steps = inLockstep(devices);
      const names = Object.keys((steps[0] as (typeof steps)[number]).grads);
      optimizer.applyGradients(
        names.map((name) => ({ name, tensor: tf.addN(steps.map(({ grads }) => grads[name] as tf.Tensor)) })),
      );
      return steps.reduce((sum, { value }) => sum + (value.dataSync()[0] as number), 0);
    });
  } finally {
    setGroup(model, soloGroup);
  }
}
