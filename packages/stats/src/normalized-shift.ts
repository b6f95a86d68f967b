/** How far statistics moved, in the units of the layer that uses them. */
import { checkMoments, checkSameChannels } from './check-moments.ts';
import type { Moments } from './moments.ts';
import { checkEpsilon, DEFAULT_EPSILON, type EpsilonOptions } from './variance-floor.ts';

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
 * `count` plays no role.
 *
 * @throws MomentsError if the channels differ, either input is invalid, or `epsilon` is not a finite number > 0.
 */
export function normalizedShift(from: Moments, to: Moments, options: EpsilonOptions = {}): NormalizedShift {
  const { epsilon = DEFAULT_EPSILON } = options;
  checkMoments(from, 'normalizedShift: the first moments');
  checkMoments(to, 'normalizedShift: the second moments');
  checkSameChannels(from, to, 'normalizedShift');
  checkEpsilon(epsilon, 'normalizedShift');
  const floor = (v: number) => Math.max(v, epsilon);
  return {
    mean: from.mean.map((m, c) => (to.mean[c]! - m) / Math.sqrt(floor(from.variance[c]!))),
    // A difference of logarithms: the ratio itself may overflow.
    variance: from.variance.map((v, c) => Math.log(floor(to.variance[c]!)) - Math.log(floor(v))),
  };
}
