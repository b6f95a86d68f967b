// Population statistics of a network in training, and the errors under them.

import type { LabeledImages } from '@rebatch/images';
import { applyStatistics, estimateStatistics, type RecalibrationMode } from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import { ImageBatches } from './image-batches.ts';
import { sampleIndices } from './shuffle.ts';

/** Settings of statistics that are exact, whatever the batch: each layer is measured behind layers on their own. */
export interface LayerwisePopulation {
  readonly mode: 'layerwise';
  readonly samples: number;
}

export interface PopulationOptions {
  readonly seed: number;
  readonly samples: number;
  readonly batch: number;
  readonly mode: RecalibrationMode;
  readonly signal: AbortSignal;
}

/** Computes the statistics from samples of the images, and leaves the model on them. */
export async function usePopulation(
  model: tfl.LayersModel,
  images: LabeledImages,
  { seed, samples, batch, mode, signal }: PopulationOptions,
) {
  const inputs = new ImageBatches(images, sampleIndices(images.size, samples, seed), batch);
  const { statistics } = await estimateStatistics(model, inputs, { mode, samples: 'all', signal });
  applyStatistics(model, statistics);
  return statistics;
}
