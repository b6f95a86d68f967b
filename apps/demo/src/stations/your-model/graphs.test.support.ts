// A converted graph as files, for tests.

import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { given } from './files/files.test.support.ts';
import type { GivenFile } from './settings.ts';

/** A small network that tells where an image is brighter, and the statistics of images as it knows them. */
export function network(): tfl.LayersModel {
  const random = seededRandom(1);
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, inputShape: [12, 12, 3], name: 'conv' }),
      tfl.layers.batchNormalization({ name: 'bn' }),
      tfl.layers.reLU(),
      tfl.layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, name: 'second' }),
      tfl.layers.batchNormalization({ name: 'bn2' }),
      tfl.layers.reLU(),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2, name: 'head' }),
    ],
  });
  for (const weight of model.layers.flatMap((layer) => layer.weights)) {
    const size = weight.shape.reduce<number>((product, side) => product * (side ?? 1), 1);
    const values = /variance|gamma/.test(weight.name)
      ? Float32Array.from({ length: size }, () => 0.5 + random.uniform())
      : random.normals(size, 0, 0.3);
    weight.write(tf.tensor(values, weight.shape as number[]));
  }
  return model;
}

/** A graph's files, under other names than model.json has. */
export function filesOf(artifacts: tf.io.ModelArtifacts): GivenFile[] {
  const { weightSpecs, weightData, ...json } = artifacts;
  const data = tf.io.CompositeArrayBuffer.join(weightData);
  const half = Math.floor(data.byteLength / 8) * 4;
  const weightsManifest = [{ paths: ['group1-shard1of2.bin', 'group1-shard2of2.bin'], weights: weightSpecs }];
  return [
    given('model.json', JSON.stringify({ ...json, format: 'graph-model', weightsManifest })),
    given('weights (1).bin', data.slice(half)),
    given('weights.bin', data.slice(0, half)),
  ];
}
