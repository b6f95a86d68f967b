// A stream through a small network in plain float64 loops, by the definition of a mixture and not by a recursion.
import { referenceMoments, referenceNormalize, type SeededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

const EPSILON = 1e-3;
const SIDE = 3;

/** A 1x1 convolution, batch normalization with these source statistics, and ReLU. */
interface Block {
  readonly inputs: number;
  readonly units: number;
  readonly kernel: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** One frame: so many samples of SIDE x SIDE positions, channels last. */
export interface Frame {
  readonly samples: number;
  readonly values: Float32Array;
}

/** What normalizes, per layer. */
interface Statistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export function makeBlocks(random: SeededRandom, widths: readonly number[], mean = 0.5): Block[] {
  return widths.slice(1).map((units, i) => ({
    inputs: widths[i]!,
    units,
    kernel: random.normals(widths[i]! * units, 0, 0.7),
    gamma: random.normals(units, 1, 0.3),
    beta: random.normals(units, 0.2, 0.5),
    mean: random.normals(units, mean, 1),
    variance: random.normals(units).map((value) => 0.2 + value * value),
  }));
}

/** Frames of a scene that drifts. */
export function makeFrames(
  random: SeededRandom,
  channels: number,
  samples: readonly number[],
  mean = 1,
): Frame[] {
  return samples.map((count, t) => ({
    samples: count,
    values: random.normals(count * SIDE * SIDE * channels, mean + 0.6 * t, 1 + 0.2 * t),
  }));
}

export const tensorOf = ({ samples, values }: Frame) =>
  tf.tensor4d(values, [samples, SIDE, SIDE, values.length / (samples * SIDE * SIDE)]);

/**
 * The network in tf.layers, its layers `bn0`, `bn1`, ...
 *
 * @param samples of the batches that it says it is for; null for any.
 */
export function makeNetwork(blocks: readonly Block[], samples: number | null = null): tfl.Sequential {
  const model = tfl.sequential();
  blocks.forEach(({ inputs, units }, i) => {
    const batchInputShape = [samples, SIDE, SIDE, inputs];
    model.add(tfl.layers.conv2d({ filters: units, kernelSize: 1, useBias: false, batchInputShape }));
    model.add(tfl.layers.batchNormalization({ epsilon: EPSILON, name: `bn${i}` }));
    model.add(tfl.layers.reLU());
  });
  blocks.forEach(({ inputs, units, kernel, gamma, beta, mean, variance }, i) => {
    tf.tidy(() => {
      model.layers[3 * i]!.setWeights([tf.tensor4d(kernel, [1, 1, inputs, units])]);
      model.layers[3 * i + 1]!.setWeights([gamma, beta, mean, variance].map((array) => tf.tensor1d(array)));
    });
  });
  return model;
}

/** The outputs for each frame in turn, and the statistics that normalized it. */
export function referenceStream(
  blocks: readonly Block[],
  frames: readonly Frame[],
  { decay, prior }: { readonly decay: number; readonly prior: number },
) {
  /** The moments of all frames so far, per layer. */
  const seen = blocks.map(() => [] as (Statistics & { samples: number })[]);
  return frames.map(({ samples, values }) => {
    const statistics: Statistics[] = [];
    let x: ArrayLike<number> = values;
    blocks.forEach((block, b) => {
      const z = convolve(x, block);
      const layout = { outer: z.length / block.units, channels: block.units, inner: 1, groups: 1 };
      seen[b]!.push({ samples, ...referenceMoments(z, layout) });
      const blend = blendOf(block, seen[b]!, decay, prior);
      statistics.push(blend);
      const { gamma, beta } = block;
      x = referenceNormalize(z, layout, blend, { gamma, beta, epsilon: EPSILON }).map((y) => Math.max(0, y));
    });
    return { y: x as Float64Array, statistics };
  });
}

function convolve(x: ArrayLike<number>, { inputs, units, kernel }: Block): Float64Array {
  return Float64Array.from({ length: (x.length / inputs) * units }, (_, at) => {
    const [row, unit] = [Math.floor(at / units), at % units];
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * kernel[i * units + unit]!;
    return sum;
  });
}

/** Every sample of every frame weighs decay^age; the source weighs `prior` samples. */
export function blendOf(
  source: { readonly mean: ArrayLike<number>; readonly variance: ArrayLike<number> },
  seen: readonly (Statistics & { samples: number })[],
  decay: number,
  prior: number,
): Statistics {
  const weights = seen.map((_, i) => decay ** (seen.length - 1 - i));
  const total = seen.reduce((sum, { samples }, i) => sum + samples * weights[i]!, 0);
  const squares = seen.reduce((sum, { samples }, i) => sum + samples * weights[i]! ** 2, 0);
  const effective = total ** 2 / squares;
  const average = (of: (one: Statistics) => number) =>
    seen.reduce((sum, one, i) => sum + ((one.samples * weights[i]!) / total) * of(one), 0);
  const blend = (own: number, target: number) => (prior * own + effective * target) / (prior + effective);
  const mean = Float64Array.from(source.mean, (_, c) => average((one) => one.mean[c]!));
  const variance = mean.map((center, c) => average((one) => one.variance[c]! + (one.mean[c]! - center) ** 2));
  return {
    mean: mean.map((value, c) => blend(source.mean[c]!, value)),
    variance: variance.map((value, c) => blend(source.variance[c]!, value)),
  };
}
