// Population statistics of a network in training: worker side.

import type { LabeledImages } from '@rebatch/images';
import { recalibrate } from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import { imagesInBatches } from './images-in-batches.ts';

/** Digits per population estimate; the paper finds a thousand near optimal. */
const SAMPLES = 1_000;

/**
 * Puts the model on precise statistics of the first thousand digits. Layer by layer, so that they are exact, and no error
 * under them is owed to the size of the batches they were computed in.
 */
export async function usePopulation(
  model: tfl.LayersModel,
  digits: LabeledImages,
  signal: AbortSignal,
): Promise<void> {
  const samples = Math.min(SAMPLES, digits.size);
  await recalibrate(model, imagesInBatches(digits, samples), { mode: 'layerwise', samples, signal });
}
