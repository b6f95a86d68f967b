// The same network and weights, whichever digits of a batch are normalized together. Worker side.

import { convertToSync, ghostBatchNormalization, shuffled } from '@rebatch/leakage';
import * as tfl from '@tensorflow/tfjs-layers';
import { type NetworkOptions, partsOf } from '../../network/network.ts';
import { DEVICES, PER_DEVICE, type Scheme } from './settings.ts';

export function schemeNetwork(scheme: Scheme, seed: number): tfl.LayersModel {
  // What the layers keep are the moments of the last batch; population statistics are computed where they are needed.
  const momentum = 0;
  switch (scheme) {
    case 'apart':
      return smallNetwork({ seed, normalization: { momentum, normalizationBatchSize: PER_DEVICE } });
    case 'ghost':
      return smallNetwork({
        seed,
        normalization: { momentum },
        layer: (config) => ghostBatchNormalization({ ...config, groups: DEVICES, assign: 'strided' }),
      });
    case 'shuffle': {
      const block = smallNetwork({ seed, normalization: { momentum } });
      return tfl.sequential({
        layers: [
          tfl.layers.inputLayer({ inputShape: [28, 28, 1] }),
          shuffled(block, { groups: DEVICES, seed }),
        ],
      });
    }
    case 'sync':
      return convertToSync(smallNetwork({ seed, normalization: { momentum } }));
  }
}

/** The network with another scheme, and the weights that it has now. The one given is disposed. */
export function withScheme(model: tfl.LayersModel, scheme: Scheme, seed: number): tfl.LayersModel {
  const next = schemeNetwork(scheme, seed);
  next.setWeights(model.getWeights());
  model.dispose();
  return next;
}

/**
 * 28x28x1 digits, averaged to 14x14, to 10 logits, by convolutions: in the black around a fragment every position shows
 * where the mean of its normalization batch lies.
 */
function smallNetwork(options: NetworkOptions): tfl.Sequential {
  const { glorot, normalized } = partsOf(options);
  const convolution = (filters: number, at: number): tfl.layers.Layer[] => [
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: glorot(),
    }),
    ...normalized(at),
  ];
  const pool = () => tfl.layers.maxPooling2d({ poolSize: 2 });
  return tfl.sequential({
    layers: [
      tfl.layers.averagePooling2d({ poolSize: 2, inputShape: [28, 28, 1] }),
      ...convolution(8, 1),
      pool(),
      ...convolution(16, 2),
      pool(),
      ...convolution(16, 3),
      ...convolution(16, 4),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 10, kernelInitializer: glorot() }),
    ],
  });
}
