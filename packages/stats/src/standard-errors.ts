// How sure one may be of moments whose values are independent.
import { checkMoments } from './check-moments.ts';
import type { Moments } from './moments.ts';
import { checkBesselCount } from './unbiased-variance.ts';

/**
 * Standard errors of an estimated mean and variance, per channel: the standard deviation that the estimate would
 * have over many repetitions of the sampling. `mean` in the units of the data, `variance` in their square.
 */
export interface StandardErrors {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Standard errors of `moments.mean` and `moments.variance` if all `count` values are independent draws:
 * `s / sqrt(n)` for the mean, with s^2 the unbiased variance, and `variance * sqrt(2 / (n - 1))` for the variance.
 *
 * The second is normal theory: its square is Var[s^2] = 2 sigma^4 / (n - 1), exact for Gaussian values and too
 * small for heavy tails. Neither holds when values are correlated, as the spatial positions of one image are: use
 * `clusteredStandardErrors` there.
 *
 * @throws MomentsError if `count` is 1 or less, or the moments are invalid.
 */
export function standardErrors(moments: Moments): StandardErrors {
  checkMoments(moments, 'standardErrors');
  checkBesselCount(moments.count, 'standardErrors');
  const freedom = moments.count - 1;
  return {
    // variance is the biased one, so s^2 / n = variance / (n - 1).
    mean: moments.variance.map((v) => Math.sqrt(v / freedom)),
    variance: moments.variance.map((v) => v * Math.sqrt(2 / freedom)),
  };
}
