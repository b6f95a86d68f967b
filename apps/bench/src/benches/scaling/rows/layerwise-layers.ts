// Layerwise recalibration of one batch against the number of layers: one forward, behind a plan of it that takes another
// one and a walk over what it did.

import { recalibrate } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type { ScalingRow } from '../scaling-row.ts';
import { madeOf, manyLayers } from './models-of-many.ts';

export const layerwiseLayers: ScalingRow = {
  case: 'layerwise, one batch, tiny layers',
  backend: 'wasm',
  sizes: [64, 256, 1024],
  unit: 'layers',
  peer: 'predict on the batch',
  target: 1 / 5,
  note: 'Of the ratio, 2 are forwards: the plan takes one.',
  options: { budgetMs: 3000, pairs: [3, 15] },
  sides: (layers) => {
    const { model, data } = madeOf(manyLayers, layers);
    const { xs } = data[0]!;
    return {
      ours: { run: () => recalibrate(model, [xs], { mode: 'layerwise' }) },
      peer: { run: () => tf.tidy(() => void (model.predictOnBatch(xs) as tf.Tensor).dataSync()) },
      dispose: () => void model.dispose(),
    };
  },
};
