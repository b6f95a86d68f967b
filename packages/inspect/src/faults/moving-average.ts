// A moving average that has not arrived: it is still in part what training began with.
import type { MeanAndVariance } from '@rebatch/stats';
import type { MovingAverage } from '../report.ts';

/** One site: its statistics now, those that training began with, and those of the data. */
export interface Moved {
  readonly stored: MeanAndVariance;
  /** Undefined: means of 0 and variances of 1, as every layer begins with. */
  readonly before: MeanAndVariance | undefined;
  readonly precise: MeanAndVariance;
  readonly epsilon: number;
}

const GRID = 200;

/**
 * How much of what training began with is still in the stored statistics. An EMA with fixed weights is exactly
 * `remaining * before + (1 - remaining) * data` in all channels of all layers, with remaining = momentum^steps, so one
 * number has to explain them all; as weights move, it explains most.
 *
 * @param momentum of the layers, if they have one and the same.
 * @returns null if nothing is off, or too few channels are to tell.
 */
export function movingAverageOf(sites: readonly Moved[], momentum: number | undefined): MovingAverage | null {
  const channels = sites.reduce((sum, { precise }) => sum + precise.mean.length, 0);
  // Statistics that never moved at all are those of a layer that is frozen, or that nobody trained.
  const moved = sites.some(({ stored, before }) =>
    (['mean', 'variance'] as const).some((of) =>
      Array.from(stored[of]).some((value, c) => value !== Math.fround(beganWith(before, of, c))),
    ),
  );
  const off = distance(sites, 0);
  if (channels < 4 || !moved || !(off > 0) || !Number.isFinite(off)) return null;
  let remaining = 0;
  let least = off;
  for (let at = 1; at <= GRID; at++) {
    const found = distance(sites, at / GRID);
    if (found < least) [remaining, least] = [at / GRID, found];
  }
  const known = momentum !== undefined && momentum > 0 && momentum < 1;
  return {
    from: sites.some(({ before }) => before) ? 'before' : 'initial',
    remaining,
    explained: 1 - least / off,
    residual: Math.sqrt(least / (2 * channels)),
    momentum: momentum ?? null,
    steps: known && remaining > 0 ? Math.abs(Math.log(remaining) / Math.log(momentum)) : null,
  };
}

const beganWith = (before: MeanAndVariance | undefined, of: 'mean' | 'variance', c: number) =>
  before ? before[of][c]! : of === 'mean' ? 0 : 1;

/** From the stored statistics to such an average: means in deviations, variances as differences of logarithms, squared. */
function distance(sites: readonly Moved[], remaining: number): number {
  let sum = 0;
  for (const { stored, before, precise, epsilon } of sites) {
    for (let c = 0; c < precise.mean.length; c++) {
      const mixed = (of: 'mean' | 'variance') =>
        remaining * beganWith(before, of, c) + (1 - remaining) * precise[of][c]!;
      const scale = Math.max(stored.variance[c]!, epsilon, Number.MIN_VALUE);
      const spread = Math.max(mixed('variance'), epsilon, Number.MIN_VALUE);
      sum += (stored.mean[c]! - mixed('mean')) ** 2 / scale + Math.log(scale / spread) ** 2;
    }
  }
  return sum;
}
