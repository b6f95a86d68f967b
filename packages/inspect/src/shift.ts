// Differences between statistics, each with the standard error of its own measurement.
import { summarizeShift } from '@rebatch/recalibrate/~internal';
import {
  type ClusterErrors,
  clusteredStandardErrors,
  type MeanAndVariance,
  type Moments,
  MomentsError,
  relativeErrors,
  symmetricKL,
} from '@rebatch/stats';
import type { MeasuredTwice } from './accumulate.ts';
import type { Shift, StoredShift } from './report.ts';
import { finite, meanOf, rootMeanSquare } from './summarize.ts';

/** Compares variances as the layer sees them: differences far below its epsilon do not matter to it. */
export interface Floor {
  readonly epsilon?: number;
}

/** From stored to precise statistics; null if the stored ones are not usable. */
export function storedShift(
  stored: MeanAndVariance,
  precise: Moments,
  errors: ClusterErrors,
  floor: Floor,
  klBefore: number,
): StoredShift | null {
  try {
    const shift = summarizeShift(stored, precise, floor);
    const divergence = symmetricKL(stored, precise, floor).map(finite);
    const own = errors.standardErrors();
    const mean = finite(meanOf(divergence));
    return {
      ...shift,
      standardErrors: {
        // In the units of the shift: the mean's by the stored deviations, the logarithm's by the precise variance.
        mean: rootMeanSquare(relativeErrors(own, stored, floor).mean),
        variance: rootMeanSquare(relativeErrors(own, precise, floor).variance),
      },
      batches: errors.clusters,
      symmetricKL: { mean, max: divergence.reduce((a, b) => Math.max(a, b)) },
      cumulativeKL: finite(klBefore + mean),
    };
  } catch (error) {
    if (error instanceof MomentsError) return null;
    throw error;
  }
}

/**
 * From stored to layerwise statistics: as uncertain as the precise ones and the correction that made them of those. The
 * correction's standard error is an upper bound (see `estimationShift`), so the batches are those of the precise ones.
 *
 * @param parts the shift to the precise statistics, and the correction.
 */
export function layerwiseShift(
  stored: MeanAndVariance,
  layerwise: MeanAndVariance,
  parts: readonly [Shift, Shift],
  floor: Floor,
): Shift {
  const both = (of: 'mean' | 'variance') => Math.hypot(...parts.map((part) => part.standardErrors[of]));
  return {
    ...summarizeShift(stored, layerwise, floor),
    standardErrors: { mean: both('mean'), variance: both('variance') },
    batches: parts[0].batches,
  };
}

/**
 * From layerwise to mini-batch statistics of the same samples. The standard error is that of the mini-batch statistics
 * alone: the layerwise ones err in the same direction, as they are of the same samples, so it is an upper bound.
 */
export function estimationShift({ batch, merged, layerwise }: MeasuredTwice, floor: Floor): Shift {
  const errors = relativeErrors(clusteredStandardErrors(batch), merged, floor);
  return {
    ...summarizeShift(layerwise, merged, floor),
    standardErrors: { mean: rootMeanSquare(errors.mean), variance: rootMeanSquare(errors.variance) },
    batches: batch.length,
  };
}

/**
 * Layerwise statistics of all data from those of a part of it: the part tells the difference to mode 'batch', all of
 * the data tells the rest (a control variate), so that the part's being small costs little.
 */
export function correctedByPart(
  precise: MeanAndVariance,
  { merged: part, layerwise }: MeasuredTwice,
): MeanAndVariance {
  const channels = precise.mean.length;
  const corrected = { mean: new Float64Array(channels), variance: new Float64Array(channels) };
  for (let c = 0; c < channels; c++) {
    const [known, seen, exact] = [precise.variance[c]!, part.variance[c]!, layerwise.variance[c]!];
    corrected.mean[c] = precise.mean[c]! + layerwise.mean[c]! - part.mean[c]!;
    corrected.variance[c] = seen > 0 ? (known * exact) / seen : exact;
  }
  return corrected;
}
