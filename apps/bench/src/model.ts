// The CNN that several benches share: three times convolution, BN, ReLU and pooling, then a classifier.

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from './backends.ts';

export const CNN_INPUT = [28, 28, 1] as const;

/** A fresh 16-32-64 CNN of stock layers on 28x28 images with 10 classes, with the same weights on each call. */
export function buildCnn(): tfl.Sequential {
  const model = tfl.sequential();
  const initializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  for (const [depth, filters] of [16, 32, 64].entries()) {
    model.add(
      tfl.layers.conv2d({
        filters,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        kernelInitializer: initializer(depth + 1),
        ...(depth === 0 ? { inputShape: [...CNN_INPUT] } : {}),
      }),
    );
    model.add(tfl.layers.batchNormalization({}));
    model.add(tfl.layers.reLU());
    model.add(tfl.layers.maxPooling2d({ poolSize: 2 }));
  }
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(9) }));
  return model;
}

/** Compiled for ten classes, with momentum; the same model. */
export function compiledForDigits<Model extends tfl.LayersModel>(model: Model): Model {
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
  return model;
}

/** A batch of noise as images, and one-hot labels. The caller disposes both. */
export function randomDigits(samples: number): { readonly xs: tf.Tensor; readonly ys: tf.Tensor } {
  const labels = Int32Array.from({ length: samples }, (_, at) => at % 10);
  return {
    xs: randomTensor([samples, ...CNN_INPUT], 1),
    ys: tf.tidy(() => tf.cast(tf.oneHot(labels, 10), 'float32')),
  };
}
