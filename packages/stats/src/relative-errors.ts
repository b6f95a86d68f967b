/** Standard errors without units, so that one tolerance fits all channels and layers. */
import { checkMoments } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import type { StandardErrors } from './standard-errors.ts';
import { checkEpsilon, DEFAULT_EPSILON, type EpsilonOptions } from './variance-floor.ts';

/**
 * `errors` in units of what a normalization layer divides by: the error of the mean in standard deviations, the
 * error of the variance as a fraction of the variance. Variances below `epsilon` count as `epsilon`, so a constant
 * channel whose error is 0 has relative error 0.
 *
 * @throws MomentsError if the lengths differ, or `epsilon` is not a finite number > 0.
 */
export function relativeErrors(
  errors: StandardErrors,
  moments: Moments,
  options: EpsilonOptions = {},
): StandardErrors {
  const { epsilon = DEFAULT_EPSILON } = options;
  checkMoments(moments, 'relativeErrors');
  checkEpsilon(epsilon, 'relativeErrors');
  const channels = moments.mean.length;
  if (errors.mean.length !== channels || errors.variance.length !== channels) {
    throw new MomentsError(
      `relativeErrors: the moments have ${channels} channels, ` +
        `the errors ${errors.mean.length} (mean) and ${errors.variance.length} (variance).`,
    );
  }
  const floor = moments.variance.map((v) => Math.max(v, epsilon));
  return {
    mean: errors.mean.map((e, c) => e / Math.sqrt(floor[c]!)),
    variance: errors.variance.map((e, c) => e / floor[c]!),
  };
}
