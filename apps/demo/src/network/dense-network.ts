// The network of two hidden layers that shows best what a normalization batch does: its layers have one value per digit and
// channel, so that a normalization batch is as small as its name says. Worker side.

import { type BatchNormalizationConfig, batchNormalization } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';

export interface DenseNetworkOptions {
  readonly seed: number;
  /** Settings of each batch normalization layer, such as `momentum` or `normalizationBatchSize`. */
  readonly normalization?: BatchNormalizationConfig;
  /** Makes the layers that normalize; default `batchNormalization` of @rebatch/layers. */
  readonly layer?: (config: BatchNormalizationConfig) => tfl.layers.Layer;
  /** Of the hidden layers. Default 64 and 64. */
  readonly units?: readonly number[];
}

/** 28x28x1 digits, averaged to 14x14, to 10 logits. The same seed gives the same weights. */
export function denseNetwork(options: DenseNetworkOptions): tfl.Sequential {
  const { seed, normalization = {}, layer = batchNormalization, units = [64, 64] } = options;
  let next = seed * 1000;
  const dense = (size: number, useBias: boolean) =>
    tfl.layers.dense({
      units: size,
      useBias,
      kernelInitializer: tfl.initializers.glorotUniform({ seed: ++next }),
    });
  const hidden = units.flatMap((size, at) => [
    dense(size, false),
    layer({ name: `bn${at + 1}_${++made}`, ...normalization }),
    tfl.layers.activation({ activation: 'relu' }),
  ]);
  return tfl.sequential({
    layers: [
      tfl.layers.averagePooling2d({ poolSize: 2, inputShape: [28, 28, 1] }),
      tfl.layers.flatten(),
      ...hidden,
      dense(10, true),
    ],
  });
}

let made = 0;
