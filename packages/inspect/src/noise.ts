// How noisy mini-batch statistics are, measured from what they were for different batches.
import { type Moments, mergeAllMoments } from '@rebatch/stats';
import type { BatchNoise } from './report.ts';
import type { Floor } from './shift.ts';
import { errorOfMean, meanOf } from './summarize.ts';

/**
 * The noise of one layer. Applications are compared with themselves only: that feature levels differ is no noise.
 *
 * Its standard error takes batches as independent, and channels not: per batch, the squared distances are averaged over
 * the channels first, and these averages are what varies (then sd(x) = sd(x^2) / 2x, the delta method). Few batches
 * can agree by chance, and two always do, as both are equally far from their center: the standard error is at least
 * what a single Gaussian channel has, x / sqrt(2 (batches - 1)).
 *
 * @param batches of one size, at least two; per batch the moments of each application.
 */
export function batchNoise(batches: readonly (readonly Moments[])[], floor: Floor): BatchNoise {
  const count = batches.length;
  const applications = batches[0]!.map((_, a) => batches.map((batch) => batch[a]!));
  const means = new Float64Array(count);
  const variances = new Float64Array(count);
  let terms = 0;
  for (const seen of applications) {
    const population = mergeAllMoments(seen);
    const [center, level] = centersOf(seen);
    const channels = center.length;
    const scales = population.variance.map((variance) => Math.max(variance, floor.epsilon ?? 1e-12));
    for (let b = 0; b < count; b++) {
      const { mean, variance } = seen[b]!;
      for (let c = 0; c < channels; c++) {
        means[b]! += (mean[c]! - center[c]!) ** 2 / scales[c]!;
        variances[b]! += ((variance[c]! - level[c]!) / scales[c]!) ** 2;
      }
    }
    terms += channels;
  }
  const mean = deviation(means, terms);
  const variance = deviation(variances, terms);
  return {
    mean: mean.value,
    variance: variance.value,
    standardErrors: { mean: mean.standardError, variance: variance.standardError },
    effectiveValues: mean.value > 0 ? 1 / mean.value ** 2 : null,
    batches: count,
  };
}

/** The unweighted means of the batches' means, and of their variances, per channel. */
function centersOf(seen: readonly Moments[]): [Float64Array, Float64Array] {
  const channels = seen[0]!.mean.length;
  const [center, level] = [new Float64Array(channels), new Float64Array(channels)];
  for (const { mean, variance } of seen) {
    for (let c = 0; c < channels; c++) {
      center[c]! += mean[c]!;
      level[c]! += variance[c]!;
    }
  }
  for (let c = 0; c < channels; c++) {
    center[c]! /= seen.length;
    level[c]! /= seen.length;
  }
  return [center, level];
}

function deviation(squares: Float64Array, terms: number) {
  // Bessel: the center was estimated from the same batches.
  const perBatch = squares.map((sum) => ((sum / terms) * squares.length) / (squares.length - 1));
  const value = Math.sqrt(meanOf(perBatch));
  const least = value / Math.sqrt(2 * (squares.length - 1));
  return { value, standardError: value > 0 ? Math.max(errorOfMean(perBatch) / (2 * value), least) : 0 };
}
