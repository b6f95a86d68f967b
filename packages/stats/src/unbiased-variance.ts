// Bessel's correction, from the population's variance to the estimate of a larger one's.
import { checkMoments } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import { shown } from './options/shown.ts';

/**
 * The unbiased estimate of the variance of the distribution that the values were drawn from:
 * `variance * count / (count - 1)`, per channel, in squared units of the data.
 *
 * @throws MomentsError if `count` is 1 or less. One value says nothing about a spread, and an infinite or NaN
 *   variance would only surface later as a broken model.
 */
export function unbiasedVariance(moments: Moments): Float64Array {
  checkMoments(moments, 'unbiasedVariance');
  checkBesselCount(moments.count, 'unbiasedVariance');
  const factor = moments.count / (moments.count - 1);
  return moments.variance.map((v) => v * factor);
}

/** Throws a {@link MomentsError} unless Bessel's correction exists for `count`. */
export function checkBesselCount(count: number, what: string): void {
  if (!(typeof count === 'number' && count > 1 && count < Infinity)) {
    throw new MomentsError(
      `${what}: Bessel's correction needs more than one value per channel, got a count of ${shown(count)}. ` +
        'Use a larger batch, or the biased variance.',
    );
  }
}
