// Population statistics of a network in training, and the errors under them.
import { applyStatistics, estimateStatistics, type RecalibrationMode } from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import { DigitBatches } from './digit-batches.ts';
import type { Digits } from './mnist.ts';
import { sampleIndices } from './shuffle.ts';

export interface PopulationOptions {
  readonly seed: number;
  readonly samples: number;
  readonly batch: number;
  readonly mode: RecalibrationMode;
  readonly signal: AbortSignal;
}

/** Computes the statistics from samples of the digits, and leaves the model on them. */
export async function usePopulation(
  model: tfl.LayersModel,
  digits: Digits,
  { seed, samples, batch, mode, signal }: PopulationOptions,
) {
  const inputs = new DigitBatches(digits, sampleIndices(digits.size, samples, seed), batch);
  const { statistics } = await estimateStatistics(model, inputs, { mode, samples: 'all', signal });
  applyStatistics(model, statistics);
  return statistics;
}
