// A layer's training step on small tensors, on a backend without any kernel of ours.

import { batchNormalization } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from '../../../backends.ts';
import { layerSide } from '../../../layer-side.ts';
import type { ScalingRow } from '../scaling-row.ts';

const CHANNELS = 16;

export const smallTraining: ScalingRow = {
  case: 'training step, small tensors',
  backend: 'cpu',
  sizes: [128, 512, 2048],
  unit: 'values',
  peer: 'tf.layers.batchNormalization',
  target: 1 / 1.2,
  options: { budgetMs: 2000, pairs: [3, 61] },
  sides: (values) => {
    const [x, dy] = [1, 2].map((seed) => randomTensor([values / CHANNELS, CHANNELS], seed)) as [
      ReturnType<typeof randomTensor>,
      ReturnType<typeof randomTensor>,
    ];
    return {
      ours: layerSide(batchNormalization(), x, dy),
      peer: layerSide(tfl.layers.batchNormalization(), x, dy),
    };
  },
};
