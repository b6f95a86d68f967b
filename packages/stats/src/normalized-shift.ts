// How far statistics moved, in the units of the layer that uses them.
import { checkMeanAndVariance, checkSameChannels } from './check-moments.ts';
import type { MeanAndVariance } from './moments.ts';
import { type EpsilonOptions, readEpsilon } from './variance-floor.ts';

/** The way from one set of moments to another, per channel; see {@link normalizedShift}. */
export interface NormalizedShift {
  /** (mean of b - mean of a) / standard deviation of a. Signed, in standard deviations of a. */
  readonly mean: Float64Array;
  /** ln(variance of b / variance of a). Signed; 0.01 is about 1% more variance, 0 is none. */
  readonly variance: Float64Array;
}

/**
 * The shift from `from` to `to` as a layer that normalizes with `from` would see it: where data with the moments
 * `to` would land instead of at mean 0, and by how much its log variance would miss 0. Both zero for equal moments.
 * A count, if there is one, plays no role.
 *
 * @throws MomentsError if the channels differ, either input is invalid, or `epsilon` is not a finite number > 0.
 */
export function normalizedShift(
  from: MeanAndVariance,
  to: MeanAndVariance,
  options: EpsilonOptions = {},
): NormalizedShift {
  const epsilon = readEpsilon(options, 'normalizedShift');
  checkMeanAndVariance(from, 'normalizedShift: the first moments');
  checkMeanAndVariance(to, 'normalizedShift: the second moments');
  checkSameChannels(from, to, 'normalizedShift');
  const channels = from.mean.length;
  const shift = { mean: new Float64Array(channels), variance: new Float64Array(channels) };
  for (let c = 0; c < channels; c++) {
    const before = Math.max(from.variance[c]!, epsilon);
    shift.mean[c] = (to.mean[c]! - from.mean[c]!) / Math.sqrt(before);
    // A difference of logarithms: the ratio itself may overflow.
    shift.variance[c] = Math.log(Math.max(to.variance[c]!, epsilon)) - Math.log(before);
  }
  return shift;
}
