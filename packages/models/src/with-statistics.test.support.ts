// Models whose layers are of tf.layers or ours, and what they give.
import { batchNormalization } from '@rebatch/layers';
import { randomizeWeights } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

type Create = (config: object) => tfl.layers.Layer;
export const KINDS: [string, Create][] = [
  ['stock', tfl.layers.batchNormalization],
  ['ours', batchNormalization],
];

export function single(create: Create, config: object = {}) {
  const model = tfl.sequential({ layers: [create({ name: 'bn', inputShape: [3], ...config })] });
  randomizeWeights(model, 2);
  return model;
}

/** A nested model, so that the scope has to find layers in depth. */
export function nested(create: Create) {
  const inner = tfl.sequential({ layers: [tfl.layers.dense({ units: 4, inputShape: [3] }), create({})] });
  const model = tfl.sequential({
    layers: [inner, tfl.layers.reLU(), create({}), tfl.layers.dense({ units: 1 })],
  });
  randomizeWeights(model, 6);
  return model;
}

export const predict = (model: tfl.LayersModel, x: tf.Tensor) =>
  tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync<'float32'>().slice());
