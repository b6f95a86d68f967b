// How far the statistics of a model's layers are from the exact ones.

import type { ModelStatistics } from '@rebatch/recalibrate';
import { type MeanAndVariance, normalizedShift } from '@rebatch/stats';

export interface ErrorsByLayer {
  /** Per BN layer: the root mean square over channels of the difference of natural logarithms of the variances. */
  readonly varianceErrors: readonly number[];
  /** Likewise of the means, in exact standard deviations. */
  readonly meanErrors: readonly number[];
}

export function errorsByLayer(exact: ModelStatistics, statistics: ModelStatistics): ErrorsByLayer {
  const shifts = exact.map((layer, i) => normalizedShift(inFloat64(layer), inFloat64(statistics[i]!)));
  return {
    varianceErrors: shifts.map((shift) => rootMeanSquare(shift.variance)),
    meanErrors: shifts.map((shift) => rootMeanSquare(shift.mean)),
  };
}

function inFloat64({ mean, variance }: ModelStatistics[number]): MeanAndVariance {
  return { mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
