// What statistics lose when they are stored in 8 or 16 bits, and what can be known of them all the same.
import {
  type ClusterErrors,
  type MeanAndVariance,
  type Moments,
  normalizedShift,
  relativeErrors,
} from '@rebatch/stats';
import { standardErrorsOf } from '../judge.ts';
import type { Quantization } from '../report.ts';
import type { Floor } from '../shift.ts';
import { storedShift } from '../shift.ts';
import { ADVICE_THRESHOLDS as LIMITS } from '../thresholds.ts';
import { findGrid, type Grid, gridsIn, type QuantizedSpec } from './grid.ts';

/** The grids that a site's statistics lie on. */
export interface StatisticsGrids {
  readonly mean: Grid | undefined;
  readonly variance: Grid | undefined;
}

/**
 * The grids of each site's statistics: those that the manifest says, else those that the values show. Undefined for a site
 * of which neither mean nor variance lies on one.
 *
 * A variance that dwarfs all others leaves them two or three levels, which show no grid; that others of the model do is
 * enough then, as converters quantize weights alike.
 */
export function gridsOf(
  sites: readonly (MeanAndVariance & { readonly name: string })[],
  specs: readonly QuantizedSpec[] | undefined,
): (StatisticsGrids | undefined)[] {
  const shown = (suspected?: Grid['dtype']): StatisticsGrids[] =>
    sites.map(({ mean, variance }) => ({
      mean: findGrid(mean, suspected),
      variance: findGrid(variance, suspected),
    }));
  const certain = specs ? said(specs, sites) : shown();
  const found = certain.flatMap(({ mean, variance }) => [mean, variance]).find((grid) => grid !== undefined);
  const grids = found && !specs ? shown(found.dtype) : certain;
  return grids.map((own) => (own.mean || own.variance ? own : undefined));
}

function said(
  specs: readonly QuantizedSpec[],
  sites: readonly { readonly name: string }[],
): StatisticsGrids[] {
  const names = sites.map(({ name }) => name);
  const variances = gridsIn(specs, names, 'moving_variance');
  return gridsIn(specs, names, 'moving_mean').map((mean, i) => ({ mean, variance: variances[i] }));
}

/**
 * The statistics that are closest to those measured, and that quantization could have made the stored ones of: each
 * within half a step. What lies on no grid stays as it is stored.
 */
export function withinHalfStep(
  stored: MeanAndVariance,
  measured: MeanAndVariance,
  grids: StatisticsGrids,
): { mean: Float64Array; variance: Float64Array } {
  const clamp = (of: 'mean' | 'variance', least: number) =>
    Float64Array.from(stored[of], (value, c) => {
      const half = (grids[of]?.step ?? 0) / 2;
      return Math.max(least, Math.min(value + half, Math.max(value - half, measured[of][c]!)));
    });
  return { mean: clamp('mean', Number.NEGATIVE_INFINITY), variance: clamp('variance', 0) };
}

/** What quantization did to a site, judged by the precise statistics of data. */
export function quantizationOf(
  stored: MeanAndVariance,
  precise: Moments,
  errors: ClusterErrors,
  grids: StatisticsGrids,
  floor: Floor,
): Quantization {
  const repaired = withinHalfStep(stored, precise, grids);
  return {
    dtype: (grids.variance ?? grids.mean)!.dtype,
    meanStep: grids.mean?.step ?? null,
    varianceStep: grids.variance?.step ?? null,
    zeroVariances: Array.from(stored.variance).filter((variance) => variance === 0).length,
    damaged: damagedChannels(stored, repaired, precise, errors, floor),
    repairedShift: storedShift(repaired, precise, errors, floor, 0),
  };
}

/** Channels for which half a step is a fault by itself, and that the data certainly places on its other side. */
function damagedChannels(
  stored: MeanAndVariance,
  repaired: MeanAndVariance,
  precise: Moments,
  errors: ClusterErrors,
  floor: Floor,
): number {
  if (errors.clusters < LIMITS.batches) return 0;
  const moved = normalizedShift(stored, repaired, floor);
  const own = errors.standardErrors();
  const [meanErrors, varianceErrors] = [
    relativeErrors(own, repaired, floor),
    relativeErrors(own, precise, floor),
  ];
  const certain = standardErrorsOf({ batches: errors.clusters });
  let damaged = 0;
  for (let c = 0; c < precise.mean.length; c++) {
    // In the deviations that the site will have once it is repaired: those that it has may be 0.
    const scale = Math.sqrt(Math.max(repaired.variance[c]!, floor.epsilon ?? Number.MIN_VALUE));
    const mean = Math.abs(repaired.mean[c]! - stored.mean[c]!) / scale;
    const off = [
      mean > Math.max(LIMITS.meanShift, certain * meanErrors.mean[c]!),
      Math.abs(moved.variance[c]!) > Math.max(LIMITS.varianceShift, certain * varianceErrors.variance[c]!),
    ];
    if (off.some(Boolean)) damaged += 1;
  }
  return damaged;
}
