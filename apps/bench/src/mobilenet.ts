// What runs on the frames of a camera: MobileNet v1 (Howard et al. 2017), 27 batch normalization layers.

import * as tfl from '@tensorflow/tfjs-layers';
import { convolutionOptions } from './convolutions.ts';

/** Filters and stride of each depthwise separable block. */
const BLOCKS = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
] as const;

/**
 * A fresh MobileNet of stock layers for square images in color and 10 classes, with the same weights on each call.
 *
 * @param width the share of the original's filters in each layer.
 */
export function buildMobilenet(side: number, width: number): tfl.Sequential {
  const model = tfl.sequential();
  const filters = (count: number) => Math.max(8, Math.round(count * width));
  const common = convolutionOptions();
  const normalize = () => {
    model.add(tfl.layers.batchNormalization({}));
    model.add(tfl.layers.reLU({ maxValue: 6 }));
  };
  const inputShape = [side, side, 3];
  model.add(tfl.layers.conv2d({ ...common(), filters: filters(32), kernelSize: 3, strides: 2, inputShape }));
  normalize();
  for (const [count, strides] of BLOCKS) {
    model.add(tfl.layers.depthwiseConv2d({ ...common(), kernelSize: 3, strides }));
    normalize();
    model.add(tfl.layers.conv2d({ ...common(), filters: filters(count), kernelSize: 1 }));
    normalize();
  }
  model.add(tfl.layers.globalAveragePooling2d({}));
  model.add(tfl.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
