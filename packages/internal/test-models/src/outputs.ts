import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** The values of each output of a model at inference. */
export function outputsOf(model: tfl.LayersModel, xs: readonly tf.Tensor[]): Float32Array[] {
  return tf.tidy(() =>
    [model.predict(xs.length === 1 ? xs[0]! : [...xs])]
      .flat()
      .map((y) => (y as tf.Tensor).dataSync<'float32'>().slice()),
  );
}
