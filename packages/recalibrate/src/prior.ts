// The statistics that a model comes with, as a prior for those that are computed.
import { type LayerStatistics, StatisticsError } from '@rebatch/models';
import { unusable } from '@rebatch/models/~internal';
import { type Moments, matchMoments } from '@rebatch/stats';

/** What one layer's statistics were, and how many samples they count for. */
export interface Prior {
  readonly samples: number;
  readonly statistics: Pick<LayerStatistics, 'mean' | 'variance'>;
  /** What the site sees on inputs that the model is known to work on; the prior's samples are then of these. */
  readonly reference?: Moments | undefined;
  /** Whether there should be a reference. */
  readonly relative?: boolean;
}

/**
 * Source and target statistics blended by a pseudo-sample size N (Schneider et al. 2020, "Improving robustness against
 * common corruptions by covariate shift adaptation"): N / (N + n) of the old and n / (N + n) of the new, for
 * means and variances each. The variance is not that of the mixture of both populations, which the distance between
 * their means would widen: the aim is one domain's statistics, not those of two together.
 *
 * With a reference, the blend is of its moments with the new ones, and what counts are the statistics that this matches.
 *
 * @param samples n: the samples behind `fresh`.
 * @param epsilon of the site.
 * @returns `fresh` itself where the prior counts for nothing, and there is no reference.
 */
export function blend(prior: Prior, samples: number, fresh: Moments, epsilon: number): Moments {
  const { statistics, reference } = prior;
  if (reference === undefined) return mixed(prior.samples, statistics, samples, fresh);
  const target = mixed(prior.samples, reference, samples, fresh);
  return matchMoments({ ...statistics, epsilon }, reference, target);
}

function mixed(
  known: number,
  { mean, variance }: Prior['statistics'],
  samples: number,
  fresh: Moments,
): Moments {
  if (known === 0) return fresh;
  const share = samples / (known + samples);
  // Both terms of the variance are >= 0, so the sum is, too, however it is rounded.
  const mix = (old: ArrayLike<number>, now: Float64Array) =>
    now.map((value, c) => (1 - share) * old[c]! + share * value);
  return { count: fresh.count, mean: mix(mean, fresh.mean), variance: mix(variance, fresh.variance) };
}

/** @throws {StatisticsError} if old statistics that should count are not usable. */
export function checkPrior(name: string, channels: number, prior: Prior): void {
  const { samples, statistics, reference, relative = false } = prior;
  if (relative && reference === undefined) {
    throw new StatisticsError(
      `Layer '${name}': expected the reference to have moments of it, got none: the reference inputs did not reach it. ` +
        'Capture a reference with inputs that do.',
    );
  }
  if (samples === 0 && !relative) return;
  const flaw = unusable(statistics.mean, statistics.variance, channels);
  if (flaw === undefined) return;
  throw new StatisticsError(
    `Layer '${name}': expected old statistics to blend with, a finite mean and a finite variance >= 0 per channel, ` +
      `got ${flaw}. Leave them out with prior: 0, or give the model usable ones with applyStatistics first.`,
  );
}
