// How sure a mean over seeds is, and claims that are decided no surer than that.

import type { Claim } from '@rebatch/findings';
import { decide } from './decide.ts';
import { deviation, mean } from './summary.ts';

/** 97.5% quantiles of Student's t, by degrees of freedom from 1. */
const QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262] as const;

/** The standard error of a mean over seeds; undefined for a single one. */
export function standardError(values: readonly number[]): number | undefined {
  return values.length < 2 ? undefined : deviation(values) / Math.sqrt(values.length);
}

/** The 95% confidence interval of the mean of the population that the seeds are drawn from; undefined for one seed. */
export function confidence(values: readonly number[]): readonly [low: number, high: number] | undefined {
  const error = standardError(values);
  if (error === undefined) return undefined;
  const quantile = QUANTILES[Math.min(values.length - 1, QUANTILES.length) - 1]!;
  const center = mean(values);
  return [center - quantile * error, center + quantile * error];
}

/** A mean and its confidence interval in percent: "1.23 [1.10, 1.36]"; the mean alone for a single seed. */
export function percentInterval(shares: readonly number[]): string {
  return interval(shares, (value) => (100 * value).toFixed(2));
}

function interval(values: readonly number[], show: (value: number) => string): string {
  const [center, bounds] = [mean(values), confidence(values)];
  return bounds === undefined ? show(center) : `${show(center)} [${bounds.map(show).join(', ')}]`;
}

/** How a margin is told. */
export interface Unit {
  readonly name: string;
  show(value: number): string;
}

const POINTS: Unit = { name: ' points', show: (value) => (100 * value).toFixed(2) };

/** Of what is no share of anything: three significant digits. */
export const PLAIN: Unit = { name: '', show: (value) => value.toPrecision(3) };

/**
 * A claim that holds where a margin is above 0: on average over the seeds, by more than two standard errors.
 *
 * @param margins one per seed, as shares: by how much the claim is met.
 * @param otherwise why it does not hold, where the mean is not above 0.
 * @param unit of the margins: shares are told in percentage points.
 */
export function decideByMargin(
  claim: string,
  measured: string,
  margins: readonly number[],
  otherwise: string,
  unit: Unit = POINTS,
): Claim {
  const [center, error] = [mean(margins), standardError(margins)];
  const seeds = margins.length === 1 ? 'one seed, which has no interval' : `${margins.length} seeds`;
  const shown = `${measured}; margin ${interval(margins, unit.show)}${unit.name}, ${seeds}`;
  const undecided = center > 0 && error !== undefined && center <= 2 * error;
  return decide(
    claim,
    shown,
    center > 0 && !undecided,
    undecided
      ? `It is met on average, but by less than two standard errors (${unit.show(2 * error)}${unit.name}): ${seeds} do not decide it.`
      : otherwise,
  );
}
