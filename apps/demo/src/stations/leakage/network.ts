// The same network and weights, whichever digits of a batch are normalized together. Worker side.

import { convertToSync, ghostBatchNormalization, shuffled } from '@rebatch/leakage';
import * as tfl from '@tensorflow/tfjs-layers';
import { denseNetwork } from '../../network/dense-network.ts';
import { DEVICES, PER_DEVICE, type Scheme } from './settings.ts';

export function schemeNetwork(scheme: Scheme, seed: number): tfl.LayersModel {
  // What the layers keep are the moments of the last batch; population statistics are computed where they are needed.
  const momentum = 0;
  switch (scheme) {
    case 'apart':
      return denseNetwork({ seed, normalization: { momentum, normalizationBatchSize: PER_DEVICE } });
    case 'ghost':
      return denseNetwork({
        seed,
        normalization: { momentum },
        layer: (config) => ghostBatchNormalization({ ...config, groups: DEVICES, assign: 'strided' }),
      });
    case 'shuffle': {
      const block = denseNetwork({ seed, normalization: { momentum } });
      return tfl.sequential({
        layers: [
          tfl.layers.inputLayer({ inputShape: [28, 28, 1] }),
          shuffled(block, { groups: DEVICES, seed }),
        ],
      });
    }
    case 'sync':
      return convertToSync(denseNetwork({ seed, normalization: { momentum } }));
  }
}

/** The network with another scheme, and the weights that it has now. The one given is disposed. */
export function withScheme(model: tfl.LayersModel, scheme: Scheme, seed: number): tfl.LayersModel {
  const next = schemeNetwork(scheme, seed);
  next.setWeights(model.getWeights());
  model.dispose();
  return next;
}
