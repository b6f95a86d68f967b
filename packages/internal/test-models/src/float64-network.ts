// A small network as plain float64 loops, and the same network as a tf.layers model with the same weights.
import { referenceMoments, referenceNormalize, type SeededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

export const EPSILON = 1e-3;

export interface Block {
  readonly kernel: Float32Array; // [inputs, units]
  readonly bias: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly inputs: number;
  readonly units: number;
}

export interface Population {
  mean: Float64Array;
  variance: Float64Array;
  count: number;
}

/** Dense, BN, relu; widths are the units of each layer, from the input on. */
export function makeBlocks(random: SeededRandom, widths: readonly number[]): Block[] {
  return widths.slice(1).map((units, i) => ({
    inputs: widths[i]!,
    units,
    kernel: random.normals(widths[i]! * units, 0.1, 0.7),
    bias: random.normals(units, 0.5, 1),
    gamma: random.normals(units, 1, 0.3),
    beta: random.normals(units, 0.2, 0.5),
  }));
}

const layoutOf = (x: ArrayLike<number>, channels: number) => ({
  outer: x.length / channels,
  channels,
  inner: 1,
  groups: 1,
});

export function denseReference(x: ArrayLike<number>, block: Block): Float64Array {
  const rows = x.length / block.inputs;
  const y = new Float64Array(rows * block.units);
  for (let r = 0; r < rows; r++) {
    for (let u = 0; u < block.units; u++) {
      let sum = block.bias[u]!;
      for (let i = 0; i < block.inputs; i++)
        sum += x[r * block.inputs + i]! * block.kernel[i * block.units + u]!;
      y[r * block.units + u] = sum;
    }
  }
  return y;
}

export function bnReluReference(
  x: Float64Array,
  block: Block,
  moments: { mean: ArrayLike<number>; variance: ArrayLike<number> },
): Float64Array {
  const { gamma, beta } = block;
  const y = referenceNormalize(x, layoutOf(x, block.units), moments, { gamma, beta, epsilon: EPSILON });
  return y.map((value) => Math.max(0, value));
}

export const momentsReference = (x: ArrayLike<number>, channels: number): Population =>
  referenceMoments(x, layoutOf(x, channels));

/** PreciseBN by its formula (paper, Sec. 3): each batch normalizes by itself, E and E[x^2] weighted by count. */
export function preciseReference(
  batches: readonly ArrayLike<number>[],
  blocks: readonly Block[],
): Population[] {
  const results = blocks.map(({ units }) => ({
    mean: new Float64Array(units),
    variance: new Float64Array(units),
    count: 0,
  }));
  for (const batch of batches) {
    let x: ArrayLike<number> = batch;
    blocks.forEach((block, b) => {
      const z = denseReference(x, block);
      const moments = momentsReference(z, block.units);
      const into = results[b]!;
      into.count += moments.count;
      for (let c = 0; c < block.units; c++) {
        into.mean[c]! += moments.count * moments.mean[c]!;
        into.variance[c]! += moments.count * (moments.variance[c]! + moments.mean[c]! ** 2);
      }
      x = bnReluReference(z, block, moments);
    });
  }
  for (const { mean, variance, count } of results) {
    for (let c = 0; c < mean.length; c++) {
      mean[c]! /= count;
      variance[c] = variance[c]! / count - mean[c]! ** 2;
    }
  }
  return results;
}

/** The exact statistics: all data at once, each layer behind layers that use theirs. */
export function exactReference(data: ArrayLike<number>, blocks: readonly Block[]): Population[] {
  return preciseReference([data], blocks);
}

/** The same network in tf.layers, BN layers named bn0, bn1, ... with moving statistics that are far off. */
export function makeSequential(blocks: readonly Block[], prefix = ''): tfl.Sequential {
  const model = tfl.sequential({ name: `${prefix}net` });
  blocks.forEach((block, i) => {
    model.add(
      tfl.layers.dense({ units: block.units, inputShape: [block.inputs], name: `${prefix}dense${i}` }),
    );
    model.add(tfl.layers.batchNormalization({ epsilon: EPSILON, name: `${prefix}bn${i}` }));
    model.add(tfl.layers.activation({ activation: 'relu', name: `${prefix}relu${i}` }));
  });
  model.add(tfl.layers.dropout({ rate: 0.5, name: `${prefix}dropout` }));
  model.add(tfl.layers.dense({ units: 2, name: `${prefix}head` }));
  blocks.forEach((block, i) => {
    setWeights(model.getLayer(`${prefix}dense${i}`), [block.kernel, block.bias]);
    const { units } = block;
    const [mean, variance] = [new Float32Array(units).fill(3), new Float32Array(units).fill(9)];
    setWeights(model.getLayer(`${prefix}bn${i}`), [block.gamma, block.beta, mean, variance]);
  });
  return model;
}

export function setWeights(layer: tfl.layers.Layer, values: readonly Float32Array[]): void {
  tf.tidy(() => {
    layer.setWeights(values.map((array, i) => tf.tensor(array, layer.weights[i]!.shape as number[])));
  });
}

/** Copies of all weights of a model, to be compared bit by bit. */
export function weightsOf(model: tfl.LayersModel): Uint8Array[] {
  return model.getWeights().map((weight) => new Uint8Array(Float32Array.from(weight.dataSync()).buffer));
}

/** What a BN layer holds now. */
export function held(model: tfl.LayersModel, name: string): { mean: Float32Array; variance: Float32Array } {
  const weights = model.getLayer(name).getWeights();
  const [mean, variance] = weights.slice(-2).map((weight) => weight.dataSync() as Float32Array);
  return { mean: mean!, variance: variance! };
}

/** Cuts rows of `width` values into batches of `size` rows. */
export function cut(data: Float32Array, width: number, size: number): Float32Array[] {
  const batches: Float32Array[] = [];
  for (let start = 0; start < data.length; start += size * width) {
    batches.push(data.slice(start, start + size * width));
  }
  return batches;
}

export const tensorOf = (batch: Float32Array, width: number) =>
  tf.tensor2d(batch, [batch.length / width, width]);

/** Runs `body` with the data as an array of tensors, and disposes them. */
export async function withBatches<T>(
  batches: readonly Float32Array[],
  width: number,
  body: (tensors: tf.Tensor[]) => Promise<T>,
): Promise<T> {
  const tensors = batches.map((batch) => tensorOf(batch, width));
  try {
    return await body(tensors);
  } finally {
    tf.dispose(tensors);
  }
}
