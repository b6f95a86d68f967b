// Standard errors without units, so that one tolerance fits all channels and layers.
import { checkMeanAndVariance } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { MeanAndVariance } from './moments.ts';
import type { StandardErrors } from './standard-errors.ts';
import { type EpsilonOptions, readEpsilon } from './variance-floor.ts';

/**
 * `errors` in units of what a normalization layer divides by: the error of the mean in standard deviations, the
 * error of the variance as a fraction of the variance. Variances below `epsilon` count as `epsilon`, so a constant
 * channel whose error is 0 has relative error 0.
 *
 * @throws MomentsError if the lengths differ, or `epsilon` is not a finite number > 0.
 */
export function relativeErrors(
  errors: StandardErrors,
  moments: MeanAndVariance,
  options: EpsilonOptions = {},
): StandardErrors {
  const epsilon = readEpsilon(options, 'relativeErrors');
  checkMeanAndVariance(moments, 'relativeErrors');
  const channels = moments.mean.length;
  if (errors.mean.length !== channels || errors.variance.length !== channels) {
    throw new MomentsError(
      `relativeErrors: the moments have ${channels} channels, ` +
        `the errors ${errors.mean.length} (mean) and ${errors.variance.length} (variance).`,
    );
  }
  const relative = { mean: new Float64Array(channels), variance: new Float64Array(channels) };
  for (let c = 0; c < channels; c++) {
    const floor = Math.max(moments.variance[c]!, epsilon);
    relative.mean[c] = errors.mean[c]! / Math.sqrt(floor);
    relative.variance[c] = errors.variance[c]! / floor;
  }
  return relative;
}
