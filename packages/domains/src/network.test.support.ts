// A model and statistics for it. Not published.
import type { ModelStatistics } from '@rebatch/recalibrate';
import { seededRandom } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';

/** Dense layers of these widths, the first of them the input's, each with a BN layer `bn0`, `bn1`, ... behind it. */
export function denseNetwork(widths: readonly number[]): tfl.Sequential {
  const model = tfl.sequential({ name: 'net' });
  widths.slice(1).forEach((units, i) => {
    const kernelInitializer = tfl.initializers.randomNormal({ seed: i + 1 });
    model.add(tfl.layers.dense({ units, inputShape: [widths[i]!], kernelInitializer, name: `dense${i}` }));
    model.add(tfl.layers.batchNormalization({ name: `bn${i}` }));
  });
  return model;
}

/** Statistics in float32 for layers of these names and channels. */
export function randomStatistics(layers: Readonly<Record<string, number>>, seed: number): ModelStatistics {
  const random = seededRandom(seed);
  return Object.entries(layers).map(([name, channels]) => ({
    name,
    mean: random.normals(channels, 0, 5),
    variance: random.normals(channels, 0, 3).map((value) => value * value),
  }));
}

/** Copies of all weights of a model, to be compared bit by bit. */
export function weightBits(model: tfl.LayersModel): Uint8Array[] {
  return model.getWeights().map((weight) => new Uint8Array(Float32Array.from(weight.dataSync()).buffer));
}
