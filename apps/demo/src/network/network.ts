// What the networks that the stations train have in common: worker side.

import { type BatchNormalizationConfig, batchNormalization } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';

export interface NetworkOptions {
  /** The same seed gives the same weights. */
  readonly seed: number;
  /** Settings of each batch normalization layer, such as `momentum` or `normalizationBatchSize`. */
  readonly normalization?: BatchNormalizationConfig;
  /** Makes the layers that normalize; default `batchNormalization` of @rebatch/layers. */
  readonly layer?: (config: BatchNormalizationConfig) => tfl.layers.Layer;
}

/** Makes the parts of one network, from its first layer to its last. */
export function partsOf({ seed, normalization = {}, layer = batchNormalization }: NetworkOptions) {
  let next = seed * 1000;
  return {
    glorot: () => tfl.initializers.glorotUniform({ seed: ++next }),
    /** Batch normalization and ReLU behind the hidden layer with this number, from 1. */
    normalized: (number: number): tfl.layers.Layer[] => [
      layer({ name: `bn${number}_${++made}`, ...normalization }),
      tfl.layers.activation({ activation: 'relu' }),
    ],
  };
}

/** Counted over all networks: no two of their layers have the same name. */
let made = 0;
