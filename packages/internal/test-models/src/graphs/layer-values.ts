// What a writer of graphs reads from layers: their weights, in float64 where they are folded.
import type * as tfl from '@tensorflow/tfjs-layers';

/** Batch norm as factor and offset per channel: y = factor * x + offset. */
export interface Affine {
  readonly factor: Float64Array;
  readonly offset: Float64Array;
}

/** A weight of a layer by the last part of its name; undefined where it has none. */
export function weightOf(layer: tfl.layers.Layer, name: string): Float32Array | undefined {
  const weight = layer.weights.find(({ originalName }) => originalName.split('/').at(-1) === name);
  return weight?.read().dataSync<'float32'>().slice();
}

/** gamma, beta, mean and variance of a batch norm, absent ones as they count. */
export function statisticsOf(layer: tfl.layers.Layer) {
  const mean = weightOf(layer, 'moving_mean')!;
  return {
    gamma: weightOf(layer, 'gamma') ?? mean.map(() => 1),
    beta: weightOf(layer, 'beta') ?? mean.map(() => 0),
    mean,
    variance: weightOf(layer, 'moving_variance')!,
    epsilon: layer.getConfig().epsilon as number,
  };
}

/** A batch norm with its moving statistics. */
export function affineOf(layer: tfl.layers.Layer): Affine {
  const { gamma, beta, mean, variance, epsilon } = statisticsOf(layer);
  const factor = Float64Array.from(gamma, (value, c) => value / Math.sqrt(variance[c]! + epsilon));
  return { factor, offset: Float64Array.from(beta, (value, c) => value - mean[c]! * factor[c]!) };
}

/** The weights of a convolution, depthwise convolution or dense layer; [inputs, outputs] in the end, seen as a table. */
export function kernelOf(layer: tfl.layers.Layer) {
  const name = ['kernel', 'depthwise_kernel'].find((one) => weightOf(layer, one) !== undefined)!;
  const values = weightOf(layer, name)!;
  const weight = layer.weights.find(({ originalName }) => originalName.split('/').at(-1) === name)!;
  return { values, shape: weight.shape as number[], bias: weightOf(layer, 'bias') };
}

/** Weights and bias with a batch norm folded in, which changes nothing where there is none. */
export function folded(layer: tfl.layers.Layer, batchNorm: tfl.layers.Layer | undefined) {
  const { values, shape, bias } = kernelOf(layer);
  if (batchNorm === undefined) return { values, shape, bias };
  const { factor, offset } = affineOf(batchNorm);
  const channels = factor.length;
  return {
    shape,
    values: values.map((value, at) => value * factor[at % channels]!),
    bias: Float32Array.from(offset, (value, c) => value + (bias?.[c] ?? 0) * factor[c]!),
  };
}
