// Statistics for other inputs, found relative to inputs that a model is known to work on.
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import { checkValue } from './options/check-options.ts';
import { finite } from './options/rules.ts';
import { shown } from './options/shown.ts';

/** Below this share of the reference's variance, a target's counts as this much where epsilon is 0. */
const LEAST_SHARE = 1e-6;

/** What a site normalizes by. */
export interface StoredStatistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  /** What the site adds to the variance; 0 for a folded site. */
  readonly epsilon: number;
}

/**
 * New statistics with which a site's output on target inputs has the mean and deviation, per channel, that the stored ones
 * gave it on reference inputs: with k = sd of the target / sd of the reference, sd = sqrt(variance + epsilon),
 *
 *     variance = (stored variance + epsilon) k^2 - epsilon
 *     mean = mean of the target - (mean of the reference - stored mean) k
 *
 * Where the stored statistics are those of the reference, they become those of the target. Where they are not (weights that
 * were quantized, another mix of classes, a folded convolution with mean 0 and variance 1), what they make of the
 * reference is kept. A variance is never below 0: there, the output spreads less than on the reference.
 *
 * @param reference moments of what the site normalizes on reference inputs, with the stored statistics in the whole model.
 * @param target the same on target inputs, behind sites that are matched already.
 * @returns moments with the target's count.
 * @throws {MomentsError} if the channels differ, the moments are not usable, or the stored statistics are not finite numbers.
 */
export function matchMoments(stored: StoredStatistics, reference: Moments, target: Moments): Moments {
  checkMoments(reference, 'matchMoments: the moments of the reference');
  checkMoments(target, 'matchMoments: the moments of the target');
  checkSameChannels(reference, target, 'matchMoments');
  const { epsilon } = stored;
  checkValue('matchMoments', 'epsilon of the stored statistics', epsilon, finite({ least: 0 }), MomentsError);
  const channels = target.mean.length;
  if (stored.mean.length !== channels || stored.variance.length !== channels) {
    throw new MomentsError(
      `matchMoments: expected stored statistics for ${channels} channels, got ${stored.mean.length} means and ` +
        `${stored.variance.length} variances.`,
    );
  }
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const [from, to] = [reference.variance[c]!, target.variance[c]!];
    const floor = epsilon > 0 ? epsilon : LEAST_SHARE * from;
    // A channel that is constant on the reference, of a site without epsilon, stays as it is.
    const ratio = from + floor > 0 ? (to + floor) / (from + floor) : 1;
    const [own, spread] = [stored.mean[c]!, stored.variance[c]!];
    if (!Number.isFinite(own) || !Number.isFinite(spread)) {
      throw new MomentsError(
        `matchMoments: expected finite stored statistics, got mean ${shown(own)} and variance ${shown(spread)} in ` +
          `channel ${c}.`,
      );
    }
    variance[c] = Math.max(0, (spread + epsilon) * ratio - epsilon);
    mean[c] = target.mean[c]! - (reference.mean[c]! - own) * Math.sqrt(ratio);
  }
  return { count: target.count, mean, variance };
}
