// The network of two hidden layers that shows best what a normalization batch does: its layers have one value per digit and
// channel, so that a normalization batch is as small as its name says. Worker side.

import * as tfl from '@tensorflow/tfjs-layers';
import { type NetworkOptions, partsOf } from './network.ts';

export interface DenseNetworkOptions extends NetworkOptions {
  /** Of the hidden layers. Default 64 and 64. */
  readonly units?: readonly number[];
}

/** 28x28x1 digits, averaged to 14x14, to 10 logits. */
export function denseNetwork({ units = [64, 64], ...options }: DenseNetworkOptions): tfl.Sequential {
  const { glorot, normalized } = partsOf(options);
  const hidden = units.flatMap((size, at) => [
    tfl.layers.dense({ units: size, useBias: false, kernelInitializer: glorot() }),
    ...normalized(at + 1),
  ]);
  return tfl.sequential({
    layers: [
      tfl.layers.averagePooling2d({ poolSize: 2, inputShape: [28, 28, 1] }),
      tfl.layers.flatten(),
      ...hidden,
      tfl.layers.dense({ units: 10, kernelInitializer: glorot() }),
    ],
  });
}
