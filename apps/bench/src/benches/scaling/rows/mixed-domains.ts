// A training step of a layer on a batch of several domains, against the same batch from one.

import { domainBatchNormalization, withDomain } from '@rebatch/domains';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { randomTensor } from '../../../backends.ts';
import { layerSide } from '../../../layer-side.ts';
import type { ScalingRow } from '../scaling-row.ts';

const SHAPE = [128, 14, 14, 32];

export const mixedDomains: ScalingRow = {
  case: 'mixed domains in a batch',
  backend: 'wasm',
  sizes: [2, 16, 64],
  unit: 'domains',
  peer: 'batchNormalization, 1 domain',
  target: 1 / 1.5,
  note: 'The moving statistics of 64 domains are 128 variables of TensorFlow.js, which are written one by one.',
  options: { budgetMs: 2500 },
  sides: (count) => {
    const [x, dy] = [randomTensor(SHAPE, 1, 0.5, 2), randomTensor(SHAPE, 2)];
    const ids = tf.tensor1d(
      Int32Array.from({ length: SHAPE[0]! }, (_, i) => i % count),
      'int32',
    );
    const domains = Array.from({ length: count }, (_, i) => `domain ${i}`);
    const layer = domainBatchNormalization({ domains, from: 'scope' });
    const mixed = layerSide(layer, x, dy);
    return {
      ours: { run: () => withDomain(layer, ids, mixed.run) },
      peer: layerSide(batchNormalization(), x, dy),
    };
  },
};
