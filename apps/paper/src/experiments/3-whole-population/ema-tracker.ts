// Several EMAs of one training run. The layers train with momentum 0, so that after each step their moving
// statistics are the moments of that step's batch; the EMAs are kept beside the model.

import { ema } from '@rebatch/estimators';
import { batchNormLayers } from '@rebatch/layers';
import { captureStatistics, type ModelStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

export interface EmaTracker {
  /** Call after each training step, with the number of samples in its batch. */
  update(samples: number): Promise<void>;
  /** The EMA with this decay, as statistics of the model's layers. */
  statistics(decay: number): ModelStatistics;
}

/**
 * Tracks the EMAs with these decays over the training of a model whose BN layers have momentum 0.
 *
 * @param debias leaves the start (mean 0, variance 1) out of the averages; by default it weighs as it does in layers.
 */
export function trackEma(model: tfl.LayersModel, decays: readonly number[], debias = false): EmaTracker {
  const layers = batchNormLayers(model);
  const wrong = layers.find((layer) => layer.momentum !== 0);
  if (wrong) throw new Error(`trackEma: expected momentum 0, layer '${wrong.name}' has ${wrong.momentum}`);
  // One per place, such as a pixel, at which the layer normalizes a channel.
  const perSample = layers.map(({ outputShape }) =>
    tf.util.sizeFromShape((outputShape as number[]).slice(1, -1)),
  );
  const trackers = new Map(decays.map((decay) => [decay, layers.map(() => ema({ decay, debias }))]));
  return {
    async update(samples) {
      const statistics = await captureStatistics(model);
      for (const estimators of trackers.values()) {
        estimators.forEach((estimator, i) => {
          const { mean, variance } = statistics[i]!;
          estimator.update({
            count: samples * perSample[i]!,
            mean: Float64Array.from(mean),
            variance: Float64Array.from(variance),
          });
        });
      }
    },
    statistics(decay) {
      const estimators = trackers.get(decay);
      if (!estimators) throw new Error(`trackEma: no EMA with decay ${decay}`);
      return layers.map(({ name }, i) => ({ name, ...estimators[i]!.estimate() }));
    },
  };
}
