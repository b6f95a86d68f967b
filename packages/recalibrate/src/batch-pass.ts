/** Mode 'batch': PreciseBN. Every layer normalizes by the batch at hand, and what normalized it is measured. */
import {
  batchMoments,
  batchNormalize,
  NormalizationBatchError,
  normalize,
  valuesPerChannel,
  viewChannels,
} from '@rebatch/core';
import { type BatchNormLayer, normalizationBatches } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { normalizeOptions } from './bn-layers.ts';
import { ApplicationsChangedError } from './errors.ts';
import { disposeMeasured, forward, type Step } from './forward.ts';
import type { Pass, Run } from './pass.ts';

/** The `measure` of the only pass. */
export function batchMeasure(run: Run): Pass['measure'] {
  const { model, layers } = run;
  let first: { readonly applications: number; readonly signature: string } | undefined;
  return (inputs, batch, index) => {
    // The graph is the same for inputs of one shape: after the last normalization nothing is left to learn from it.
    const last = first?.signature === batch.signature ? first.applications : undefined;
    let count = 0;
    const measured = forward(model, layers, inputs, ({ layer }, x, batch) => {
      const options = normalizeOptions(layers[layer]!);
      count += 1;
      if (batch !== undefined)
        return { moments: [batchMoments(x, options)], y: normalize(x, batch, options) };
      checkNormalizationBatch(x, options, index);
      return measureAsTrained(layers[layer]!, x, options, count !== last);
    });
    first ??= { applications: count, signature: batch.signature };
    if (count !== first.applications) {
      disposeMeasured(measured);
      throw new ApplicationsChangedError(
        `Batch ${index}: its batch normalization layers were applied ${count} times, those of batch 0 ` +
          `${first.applications} times. Batches must have the same number of time steps, and the same domains.`,
      );
    }
    return measured;
  };
}

/** As the layer does in training: each of its normalization batches by itself, and each is one of the estimator's. */
function measureAsTrained(
  layer: BatchNormLayer,
  x: tf.Tensor,
  options: ReturnType<typeof normalizeOptions>,
  needed: boolean,
): Step {
  const samples = x.shape[0]!;
  const size = (layer as { normalizationBatchSize?: number }).normalizationBatchSize;
  if (size === undefined || samples <= size) {
    if (!needed) return { moments: [batchMoments(x, options)] };
    const { y, ...moments } = batchNormalize(x, options);
    return { moments: [moments], y };
  }
  const values = valuesPerChannel(viewChannels(x.shape, options)) / samples;
  const runs = normalizationBatches(samples, size, values);
  const sizes = runs.map((run) => run.groups * run.size);
  const pieces = runs.length === 1 ? [x] : tf.split(x, sizes);
  const parts = runs.map(({ groups }, i) => batchNormalize(pieces[i]!, { ...options, groups }));
  const y = parts.length === 1 ? parts[0]!.y : tf.concat(parts.map((part) => part.y));
  return {
    moments: parts.map(({ mean, variance, count }) => ({ mean, variance, count })),
    ...(needed && { y }),
  };
}

function checkNormalizationBatch(x: tf.Tensor, options: { axis: number; name: string }, index: number): void {
  if (valuesPerChannel(viewChannels(x.shape, options)) > 1) return;
  throw new NormalizationBatchError(
    `Layer '${options.name}', batch ${index}: expected at least 2 values per channel in a normalization batch, got 1 ` +
      `(shape [${x.shape.join(', ')}]). Its variance is 0 and normalizing by it would erase the input: use larger ` +
      "batches, leave out a last batch of one sample, or use mode 'layerwise'.",
  );
}
