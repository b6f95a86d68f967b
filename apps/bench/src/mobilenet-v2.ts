// What people adapt: MobileNet v2 (Sandler et al. 2018), 52 batch normalization layers, with residual connections.

import * as tfl from '@tensorflow/tfjs-layers';
import { convolutionOptions } from './convolutions.ts';

/** Expansion, filters, repetitions and first stride of each group of blocks. */
const GROUPS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** A fresh MobileNet v2 of stock layers for square images in color and 10 classes, with the same weights on each call. */
export function buildMobilenetV2(side: number): tfl.LayersModel {
  const common = convolutionOptions();
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor) => layer.apply(x) as tfl.SymbolicTensor;
  const normalize = (x: tfl.SymbolicTensor) => apply(tfl.layers.batchNormalization({}), x);
  const relu6 = (x: tfl.SymbolicTensor) => apply(tfl.layers.reLU({ maxValue: 6 }), x);
  const conv = (x: tfl.SymbolicTensor, filters: number, kernelSize: number, strides: number) =>
    normalize(apply(tfl.layers.conv2d({ ...common(), filters, kernelSize, strides }), x));

  const input = tfl.input({ shape: [side, side, 3] });
  let x = relu6(conv(input, 32, 3, 2));
  for (const [expansion, filters, repetitions, firstStride] of GROUPS) {
    for (let i = 0; i < repetitions; i++) {
      const strides = i === 0 ? firstStride : 1;
      const channels = x.shape.at(-1)!;
      const wide = expansion === 1 ? x : relu6(conv(x, channels * expansion, 1, 1));
      const spatial = tfl.layers.depthwiseConv2d({ ...common(), kernelSize: 3, strides });
      const narrow = conv(relu6(normalize(apply(spatial, wide))), filters, 1, 1);
      x =
        strides === 1 && channels === filters
          ? (tfl.layers.add().apply([x, narrow]) as tfl.SymbolicTensor)
          : narrow;
    }
  }
  x = relu6(conv(x, 1280, 1, 1));
  const pooled = apply(tfl.layers.globalAveragePooling2d({}), x);
  const outputs = apply(tfl.layers.dense({ units: 10, activation: 'softmax' }), pooled);
  return tfl.model({ inputs: input, outputs });
}
