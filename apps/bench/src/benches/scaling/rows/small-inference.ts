// A layer's inference on small tensors, where everything around the arithmetic counts.

import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from '../../../backends.ts';
import type { ScalingRow } from '../scaling-row.ts';

const CHANNELS = 16;

const row = (on: Pick<ScalingRow, 'backend' | 'kernels'>): ScalingRow => ({
  case: `inference, small tensors${on.kernels === 'ours' ? ', our kernels' : ''}`,
  ...on,
  sizes: [64, 256, 1024, 4096, 16384],
  unit: 'values',
  peer: 'tf.layers.batchNormalization',
  target: 1,
  ...(on.backend === 'cpu' &&
    on.kernels === undefined && { note: 'With upstream’s kernels alone both compute the same, op by op.' }),
  options: { budgetMs: 1000, pairs: [3, 61] },
  sides: (values) => {
    const x = randomTensor([values / CHANNELS, CHANNELS], 1, 0.5, 2);
    const run = (layer: tfl.layers.Layer) => {
      layer.build(x.shape);
      return { run: () => tf.tidy(() => void layer.apply(x)) };
    };
    return { ours: run(batchNormalization()), peer: run(tfl.layers.batchNormalization()) };
  },
});

export const smallInference: readonly ScalingRow[] = [
  row({ backend: 'wasm' }),
  row({ backend: 'cpu', kernels: 'ours' }),
  row({ backend: 'cpu' }),
];
