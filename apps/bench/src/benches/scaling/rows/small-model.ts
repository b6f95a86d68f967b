// A converted model on small images: many small layers.

import { convert } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from '../../../backends.ts';
import { buildMobilenet } from '../../../mobilenet.ts';
import type { ScalingRow } from '../scaling-row.ts';

const SIDE = 32;

export const smallModel: ScalingRow = {
  case: 'converted MobileNet 32x32',
  backend: 'wasm',
  sizes: [1, 2, 4],
  unit: 'images',
  peer: 'the stock model',
  target: 1,
  options: { budgetMs: 3000, pairs: [5, 61] },
  sides: (images) => {
    const x = randomTensor([images, SIDE, SIDE, 3], 1);
    const stock = buildMobilenet(SIDE, 0.25);
    const ours = buildMobilenet(SIDE, 0.25);
    convert(ours);
    const run = (model: tfl.Sequential) => ({ run: () => tf.tidy(() => void model.predictOnBatch(x)) });
    return {
      ours: run(ours),
      peer: run(stock),
      dispose: () => {
        stock.dispose();
        ours.dispose();
      },
    };
  },
};
