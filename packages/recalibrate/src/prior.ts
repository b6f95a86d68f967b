/** The statistics that a model comes with, as a prior for those that are computed. */
import type { Moments } from '@rebatch/stats';
import { StatisticsError } from './errors.ts';
import type { LayerStatistics } from './statistics.ts';
import { unusable } from './unusable.ts';

/** What one layer's statistics were, and how many samples they count for. */
export interface Prior {
  readonly samples: number;
  readonly statistics: Pick<LayerStatistics, 'mean' | 'variance'>;
}

/**
 * Source and target statistics blended by a pseudo-sample size N (Schneider et al. 2020, "Improving robustness against
 * common corruptions by covariate shift adaptation"): N / (N + n) of the old and n / (N + n) of the new, for
 * means and variances each. The variance is not that of the mixture of both populations, which the distance between
 * their means would widen: the aim is one domain's statistics, not those of two together.
 *
 * @param samples n: the samples behind `fresh`.
 * @returns `fresh` itself where the prior counts for nothing.
 */
export function blend(prior: Prior, samples: number, fresh: Moments): Moments {
  if (prior.samples === 0) return fresh;
  const share = samples / (prior.samples + samples);
  const { mean, variance } = prior.statistics;
  // Both terms of the variance are >= 0, so the sum is, too, however it is rounded.
  const mix = (old: ArrayLike<number>, now: Float64Array) =>
    now.map((value, c) => (1 - share) * old[c]! + share * value);
  return { count: fresh.count, mean: mix(mean, fresh.mean), variance: mix(variance, fresh.variance) };
}

/** @throws {StatisticsError} if old statistics that should count are not usable. */
export function checkPrior(name: string, channels: number, { samples, statistics }: Prior): void {
  if (samples === 0) return;
  const flaw = unusable(statistics.mean, statistics.variance, channels);
  if (flaw === undefined) return;
  throw new StatisticsError(
    `Layer '${name}': expected old statistics to blend with, a finite mean and a finite variance >= 0 per channel, ` +
      `got ${flaw}. Leave them out with prior: 0, or give the model usable ones with applyStatistics first.`,
  );
}
