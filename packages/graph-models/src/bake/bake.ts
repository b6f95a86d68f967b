// A graph's statistics written into its weights, as artifacts that need nothing of ours.
import { readStatistics } from '@rebatch/models/~internal';
import { checkOptions, oneOf } from '@rebatch/stats/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import { checkValues, constantsOf } from '../check-weights.ts';
import { GraphModelError } from '../errors.ts';
import type { NormalizedGraphModel } from '../graph-model.ts';
import { partsOf } from '../parts.ts';
import { decodeWeight, encodeWeight, type Precision } from '../weights/codec.ts';
import { bakedConstants } from './baked-constants.ts';
import { readBack } from './read-back.ts';

/** Options of `bake`. */
export interface BakeOptions {
  /**
   * How a quantized weight is stored that its quantization cannot hold any more, because a value lies outside of its range:
   * `'float32'` (default), or `'float16'` where no value is above 65504. Weights in float32 stay so.
   */
  readonly precision?: Precision;
}

const OPTIONS = { precision: oneOf('float32', 'float16') };

/**
 * The model with the statistics that it has now, as artifacts of a plain GraphModel: `tf.loadGraphModel` loads them (from an
 * IO handler, or once they are saved), and nothing of ours runs. A folded site's are written as W / sd and (b - mean) / sd,
 * per output channel; a batch norm's into its mean and variance.
 *
 * The topology and all other weights are byte for byte the original's; so are those of sites whose statistics are as they
 * were at first. What is written is rounded to the precision in which the weight came: a quantized weight keeps its grid
 * (scale and min) if all values lie within half a step of it.
 *
 * @throws (rejects) {GraphModelError} for anything that `graphModel` did not return, or another precision.
 *   {StatisticsError} for statistics that are not finite, or a variance of 0 at a folded site, which would have to become an
 *   infinite weight. {GraphWeightsError} for weights that are not finite. {DisposedModelError}. The model stays as it is.
 */
export async function bake(
  model: NormalizedGraphModel,
  options: BakeOptions = {},
): Promise<tf.io.ModelArtifacts> {
  const { source, sites } = partsOf('bake', model);
  checkOptions('bake', options, OPTIONS, GraphModelError);
  const { precision = 'float32' } = options;
  const [statistics, stored] = await Promise.all([readStatistics(model), source.stored ?? readBack(source)]);
  const changed = new Map<string, Float32Array>();
  for (const [at, site] of sites.entries()) {
    const before = new Map(constantsOf(site).map((name) => [name, decodeWeight(stored.get(name)!)]));
    for (const [name, values] of before) checkValues(site.name, name, values);
    for (const [name, values] of bakedConstants(site, statistics[at]!, before)) {
      const same = before.get(name)!.every((value, i) => Object.is(value, values[i]));
      if (!same) changed.set(name, values);
    }
  }
  const weights = source.specs.map((spec) => {
    const values = changed.get(spec.name);
    return values === undefined ? stored.get(spec.name)! : encodeWeight(spec, values, precision);
  });
  const { getWeightStream: _, ...artifacts } = source.artifacts;
  return {
    ...artifacts,
    modelTopology: structuredClone(artifacts.modelTopology!),
    weightSpecs: weights.map(({ spec }) => structuredClone(spec)),
    weightData: joined(weights.map(({ bytes }) => bytes)),
  };
}

function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all.buffer;
}
