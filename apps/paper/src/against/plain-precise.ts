// PreciseBN by plain loops in float64: of each batch that every BN layer sees, normalized by that batch.

import type { LabeledImages } from '@rebatch/images';
import { imageTensor, ranges } from '@rebatch/images';
import { batchNormLayers } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Of one BN layer, per channel. */
export interface PlainStatistics {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** E[mean] and E[mean^2 + variance] - E[mean]^2 over batches of equal size. Leaves the model's statistics as they are. */
export async function plainPrecise(
  model: tfl.Sequential,
  images: LabeledImages,
  batch: number,
): Promise<PlainStatistics[]> {
  const normalizing = new Set<tfl.layers.Layer>(batchNormLayers(model) as never);
  const seen: Batch[][] = [];
  const before = model.getWeights().map((weight) => tf.clone(weight));
  for (const indices of ranges(images.size, batch)) {
    let x: tf.Tensor = imageTensor(images, indices);
    let at = 0;
    for (const layer of model.layers) {
      if (normalizing.has(layer)) {
        seen[at] ??= [];
        seen[at++]!.push(momentsOf((await x.data()) as Float32Array, x.shape.at(-1)!));
      }
      const next = tf.tidy(() => layer.apply(x, { training: true }) as tf.Tensor);
      x.dispose();
      x = next;
    }
    x.dispose();
  }
  // Training has moved the moving statistics.
  model.setWeights(before);
  tf.dispose(before);
  return seen.map(averageOf);
}

interface Batch {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** In two passes. */
function momentsOf(values: Float32Array, channels: number): Batch {
  const rows = values.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) mean[i % channels] = mean[i % channels]! + values[i]! / rows;
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    variance[c] = variance[c]! + (values[i]! - mean[c]!) ** 2 / rows;
  }
  return { mean, variance };
}

function averageOf(batches: readonly Batch[]): PlainStatistics {
  const channels = Array.from(batches[0]!.mean.keys());
  const average = (read: (batch: Batch) => number) =>
    batches.reduce((sum, batch) => sum + read(batch), 0) / batches.length;
  const mean = channels.map((c) => average((batch) => batch.mean[c]!));
  const variance = channels.map(
    (c) => average((batch) => batch.variance[c]! + batch.mean[c]! ** 2) - mean[c]! ** 2,
  );
  return { mean, variance };
}
