// How much data is enough.
import { MomentsError } from './errors.ts';
import { checkValue } from './options/check-options.ts';
import { finite } from './options/rules.ts';
import { shown } from './options/shown.ts';
import type { StandardErrors } from './standard-errors.ts';

/**
 * How many samples bring every error down to `tolerance`, judging by `errors` after `samples` of them. Standard
 * errors fall as 1 / sqrt(samples), so the worst channel decides: ceil(samples * (worst / tolerance)^2), at least 1.
 * The mean's and the variance's errors are held to the same tolerance, so pass the result of `relativeErrors`.
 *
 * `samples` is in any unit of independent draws (images, batches); the result is in the same. Infinity if the
 * errors are too far off for any number that float64 counts.
 *
 * @throws MomentsError if an error is negative or not a number, or `samples` or `tolerance` is not finite and > 0.
 */
export function samplesForTolerance(errors: StandardErrors, samples: number, tolerance: number): number {
  for (const [name, value] of Object.entries({ samples, tolerance })) {
    checkValue('samplesForTolerance', name, value, finite({ above: 0 }), MomentsError);
  }
  let worst = 0;
  for (const part of ['mean', 'variance'] as const) {
    if (typeof errors?.[part]?.forEach !== 'function') {
      throw new MomentsError(
        `samplesForTolerance: expected errors {mean: Float64Array, variance: Float64Array}, got ${shown(errors)}.`,
      );
    }
    errors[part].forEach((error, c) => {
      if (!(typeof error === 'number' && error >= 0)) {
        throw new MomentsError(
          `samplesForTolerance: the error of the ${part} of channel ${c} is ${shown(error)}; expected a number >= 0.`,
        );
      }
      worst = Math.max(worst, error);
    });
  }
  return Math.max(1, Math.ceil(samples * (worst / tolerance) ** 2));
}
