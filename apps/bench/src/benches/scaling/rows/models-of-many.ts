// Models in which there is much of one thing: layers, channels, or models in models. And the small MobileNet.

import { convert } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomTensor } from '../../../backends.ts';
import { buildMobilenet } from '../../../mobilenet.ts';

/** A family of models with more and more of something. */
export interface Family {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly unit: string;
  readonly build: (size: number) => tfl.LayersModel;
  /** Of one batch. */
  readonly shape: (size: number) => number[];
}

const UNITS = 16;
const BATCHES = 16;

export const manyLayers: Family = {
  name: 'tiny layers',
  sizes: [16, 64, 256],
  unit: 'layers',
  build: (layers) => {
    const model = tfl.sequential();
    for (let layer = 0; layer < layers; layer++) {
      model.add(dense(layer + 1, layer === 0));
      model.add(tfl.layers.batchNormalization());
    }
    return model;
  },
  shape: () => [32, UNITS],
};

export const manyChannels: Family = {
  name: 'many channels',
  sizes: [256, 1024, 4096],
  unit: 'channels',
  build: (filters) => {
    const model = tfl.sequential();
    const kernelInitializer = tfl.initializers.heNormal({ seed: 1 });
    model.add(tfl.layers.conv2d({ filters, kernelSize: 1, kernelInitializer, inputShape: [4, 4, UNITS] }));
    model.add(tfl.layers.batchNormalization());
    for (let layer = 0; layer < 3; layer++) {
      model.add(tfl.layers.depthwiseConv2d({ kernelSize: 1, depthwiseInitializer: 'ones' }));
      model.add(tfl.layers.batchNormalization());
    }
    model.add(tfl.layers.globalAveragePooling2d({}));
    return model;
  },
  shape: () => [16, 4, 4, UNITS],
};

export const nestedModels: Family = {
  name: 'nested models',
  sizes: [4, 16, 64],
  unit: 'models',
  build: (depth) => {
    let inner: tfl.Sequential | undefined;
    for (let level = 0; level < depth; level++) {
      const outer = tfl.sequential();
      outer.add(inner ?? dense(1, true));
      outer.add(tfl.layers.batchNormalization());
      outer.add(dense(level + 2, false));
      inner = outer;
    }
    return inner!;
  },
  shape: () => [32, UNITS],
};

export const smallMobilenet: Family = {
  name: 'converted MobileNet 32x32',
  sizes: [4, 16],
  unit: 'images',
  build: () => buildMobilenet(32, 1),
  shape: (images) => [images, 32, 32, 3],
};

/** A converted model of a family, batches for it with labels, and what it takes to predict all of them. */
export function madeOf(family: Family, size: number) {
  const model = convert(family.build(size)) as tfl.LayersModel;
  const classes = model.outputs[0]!.shape.at(-1)!;
  const data = Array.from({ length: BATCHES }, (_, at) => {
    const xs = randomTensor(family.shape(size), at + 1);
    const labels = Int32Array.from({ length: xs.shape[0]! }, (_, i) => (i + at) % classes);
    return { xs, ys: tf.tensor1d(labels, 'int32') };
  });
  const predictAll = async () => {
    for (const { xs } of data) {
      const y = model.predictOnBatch(xs) as tf.Tensor;
      await y.data();
      y.dispose();
    }
  };
  return { model, data, predictAll };
}

function dense(seed: number, first: boolean) {
  const kernelInitializer = tfl.initializers.heNormal({ seed });
  return tfl.layers.dense({ units: UNITS, kernelInitializer, ...(first && { inputShape: [UNITS] }) });
}
