// A small classifier as plain float64 loops, and the same as a tf.layers model with the same weights.
import { referenceMoments, referenceNormalize, type SeededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

export const EPSILON = 1e-3;

/** Population statistics of one layer. */
export interface Statistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Dense without bias, then batch normalization and ReLU; the head is dense alone. */
export interface Network {
  readonly widths: readonly number[];
  /** Row-major [inputs, units]; the last one is the head's. */
  readonly kernels: readonly Float32Array[];
  readonly gamma: readonly Float32Array[];
  readonly beta: readonly Float32Array[];
}

/** @param widths of the input, each layer, and the head. */
export function makeNetwork(random: SeededRandom, widths: readonly number[]): Network {
  const layers = widths.slice(1, -1);
  return {
    widths,
    kernels: widths
      .slice(1)
      .map((units, i) => random.normals(widths[i]! * units, 0, Math.sqrt(2 / widths[i]!))),
    gamma: layers.map((units) => random.normals(units, 1, 0.1)),
    beta: layers.map((units) => random.normals(units, 0.1, 0.1)),
  };
}

const depthOf = ({ widths }: Network) => widths.length - 2;

function dense(of: ArrayLike<number>, by: ArrayLike<number>, units: number): Float64Array {
  // Arrays of one kind, whatever was given: loops that see several are far slower.
  const [x, kernel] = [new Float64Array(of), new Float64Array(by)];
  const inputs = kernel.length / units;
  const rows = x.length / inputs;
  const y = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * kernel[i * units + unit]!;
      y[row * units + unit] = sum;
    }
  }
  return y;
}

/** Each layer's moments of these values, and the head's outputs; normalized by `statistics`, or by themselves. */
export function run(network: Network, x: ArrayLike<number>, statistics?: readonly Statistics[]) {
  const seen: Statistics[] = [];
  let values: ArrayLike<number> = x;
  for (let layer = 0; layer < depthOf(network); layer++) {
    const channels = network.widths[layer + 1]!;
    const z = dense(values, network.kernels[layer]!, channels);
    const layout = { outer: z.length / channels, channels, inner: 1, groups: 1 };
    const { mean, variance } = referenceMoments(z, layout);
    seen.push({ mean, variance });
    const affine = { gamma: network.gamma[layer]!, beta: network.beta[layer]!, epsilon: EPSILON };
    values = referenceNormalize(z, layout, statistics?.[layer] ?? seen[layer]!, affine).map((v) =>
      Math.max(0, v),
    );
  }
  return { seen, outputs: dense(values, network.kernels.at(-1)!, network.widths.at(-1)!) };
}

/** Moments of the union of equally large batches, by their definition: E[m] and E[v + m^2] - E[m]^2. */
export function merged(batches: readonly Statistics[]): Statistics {
  const channels = batches[0]!.mean.length;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    for (const batch of batches) mean[c]! += batch.mean[c]! / batches.length;
    for (const batch of batches) {
      variance[c]! += (batch.variance[c]! + (batch.mean[c]! - mean[c]!) ** 2) / batches.length;
    }
  }
  return { mean, variance };
}

/** PreciseBN on equally large batches: each normalizes by itself. */
export function precise(network: Network, batches: readonly ArrayLike<number>[]): Statistics[] {
  const seen = batches.map((batch) => run(network, batch).seen);
  return seen[0]!.map((_, layer) => merged(seen.map((layers) => layers[layer]!)));
}

/** The classes that the network gives under the statistics. */
export function classesOf(
  network: Network,
  x: ArrayLike<number>,
  statistics?: readonly Statistics[],
): Int32Array {
  const { outputs } = run(network, x, statistics);
  const units = network.widths.at(-1)!;
  return Int32Array.from({ length: outputs.length / units }, (_, row) => {
    const scores = [...outputs.slice(row * units, (row + 1) * units)];
    return scores.indexOf(Math.max(...scores));
  });
}

/**
 * The same network in tf.layers, its layers named bn0, bn1, ..., holding `stored`.
 *
 * @param samples of the batches that it says it is for; null for any.
 */
export function makeModel(
  network: Network,
  stored: readonly Statistics[],
  samples: number | null = null,
): tfl.Sequential {
  const model = tfl.sequential({ name: 'net' });
  const { widths, kernels } = network;
  kernels.forEach((kernel, i) => {
    const units = widths[i + 1]!;
    const batchInputShape = [samples, widths[i]!];
    model.add(tfl.layers.dense({ units, useBias: false, batchInputShape, name: `dense${i}` }));
    setWeights(model.getLayer(`dense${i}`), [kernel]);
    if (i === depthOf(network)) return;
    model.add(tfl.layers.batchNormalization({ epsilon: EPSILON, name: `bn${i}` }));
    model.add(tfl.layers.reLU());
    const { mean, variance } = stored[i]!;
    setWeights(model.getLayer(`bn${i}`), [network.gamma[i]!, network.beta[i]!, mean, variance]);
  });
  return model;
}

export function setWeights(layer: tfl.layers.Layer, values: readonly ArrayLike<number>[]): void {
  tf.tidy(() => {
    layer.setWeights(
      values.map((array, i) => tf.tensor(Float32Array.from(array), layer.weights[i]!.shape as number[])),
    );
  });
}

/** All weights of a model, to be compared bit by bit. */
export function weightsOf(model: tfl.LayersModel): number[][] {
  return model.getWeights().map((weight) => [...new Uint8Array(Float32Array.from(weight.dataSync()).buffer)]);
}

/** Batches as users bring them. */
export function toTensors(batches: readonly Float32Array[], width: number, labels?: readonly Int32Array[]) {
  return batches.map((batch, i) => {
    const xs = tf.tensor2d(batch, [batch.length / width, width]);
    return labels ? { xs, ys: tf.tensor1d(labels[i]!, 'int32') } : { xs };
  });
}
