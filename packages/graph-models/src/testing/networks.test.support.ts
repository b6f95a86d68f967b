// Networks with batch norms whose truth is known, as tf.layers models with random weights.
import { type GraphStyle, writeGraph } from '@rebatch/test-models/graphs';
import { seededRandom } from '@rebatch/testing';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Values } from './float64.test.support.ts';

const { layers } = tfl;

/** Weights around 0, gamma and variances around 1, beta, means and slopes around 0.2. */
export function randomized<Model extends tfl.LayersModel>(model: Model, seed: number): Model {
  const random = seededRandom(seed);
  for (const weight of model.layers.flatMap((layer) => layer.weights)) {
    const shape = weight.shape as number[];
    const size = shape.reduce((a, b) => a * b, 1);
    const name = weight.originalName.split('/').at(-1)!;
    const values = /kernel/.test(name)
      ? random.normals(size, 0.1, Math.sqrt(shape.at(-1)! / size))
      : /gamma|variance/.test(name)
        ? Float32Array.from({ length: size }, () => 0.5 + random.uniform())
        : random.normals(size, 0.2, 0.3);
    const tensor = tf.tensor(values, shape);
    weight.write(tensor);
    tensor.dispose();
  }
  return model;
}

/** Convolutions, depthwise ones and dense layers, each kind of activation, a residual sum. */
export function makeNetwork(seed = 1, { epsilon = 1e-3 } = {}): tfl.LayersModel {
  const x = tfl.input({ shape: [8, 6, 3], name: 'image' });
  const bn = (name: string) => layers.batchNormalization({ name, epsilon });
  const through = (start: tfl.SymbolicTensor, ...all: tfl.layers.Layer[]) =>
    all.reduce((value, layer) => layer.apply(value) as tfl.SymbolicTensor, start);
  const stem = through(
    x,
    layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'same', useBias: false, name: 'stem' }),
    bn('stem_bn'),
    layers.reLU({ maxValue: 6, name: 'stem_relu6' }),
  );
  const branch = through(
    stem,
    layers.depthwiseConv2d({
      kernelSize: 3,
      padding: 'same',
      depthMultiplier: 2,
      useBias: false,
      name: 'depth',
    }),
    bn('depth_bn'),
    layers.prelu({ sharedAxes: [1, 2], name: 'depth_prelu' }),
    layers.conv2d({ filters: 6, kernelSize: 1, name: 'point' }),
    bn('point_bn'),
  );
  const sum = layers.add({ name: 'sum' }).apply([stem, branch]) as tfl.SymbolicTensor;
  const y = through(
    sum,
    layers.conv2d({ filters: 5, kernelSize: 2, padding: 'valid', useBias: false, name: 'wide' }),
    bn('wide_bn'),
    layers.elu({ name: 'wide_elu' }),
    layers.conv2d({ filters: 4, kernelSize: 1, name: 'biased' }),
    layers.leakyReLU({ alpha: 0.1, name: 'biased_leaky' }),
    layers.globalAveragePooling2d({ name: 'pool' }),
    layers.dense({ units: 7, useBias: false, name: 'hidden' }),
    bn('hidden_bn'),
    layers.activation({ activation: 'sigmoid', name: 'hidden_sigmoid' }),
    layers.dense({ units: 3, name: 'head' }),
  );
  return randomized(tfl.model({ inputs: x, outputs: y, name: 'net' }), seed);
}

/** The names of its sites, in the order in which they depend on each other, when batch norms are folded. */
export const NETWORK_SITES = ['stem_bn', 'depth_bn', 'point_bn', 'wide_bn', 'biased', 'hidden_bn', 'head'];

/** The model as a graph, loaded as a user does. */
export function loadAsGraph(model: tfl.LayersModel, style?: GraphStyle): Promise<GraphModel> {
  return loadGraphModel(tf.io.fromMemory(writeGraph(model, style)));
}

/** Random images, as a tensor and as plain values. */
export function randomImages(samples: number, seed = 7, shape: readonly number[] = [8, 6, 3]) {
  const full = [samples, ...shape];
  const values = seededRandom(seed).normals(
    full.reduce((a, b) => a * b, 1),
    0.3,
    1,
  );
  const plain: Values = { shape: full, values: Float64Array.from(values) };
  return { plain, tensor: () => tf.tensor(values, full) };
}
