// What the constants of a site have to be for its statistics to be part of them.
import { StatisticsError } from '@rebatch/models';
import type { FoldedSite, GraphSite } from '../sites/site.ts';

interface OneSite {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/**
 * The new values, by the constants' names; in float32, computed in float64.
 *
 * @param before the present ones.
 * @throws {StatisticsError} for statistics that cannot be written so.
 */
export function bakedConstants(
  site: GraphSite,
  statistics: OneSite,
  before: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const { mean, variance } = statistics;
  for (let channel = 0; channel < site.channels; channel++) {
    const usable = Number.isFinite(mean[channel]) && Number.isFinite(variance[channel]);
    const positive = variance[channel]! + site.epsilon > 0;
    if (usable && positive) continue;
    throw new StatisticsError(
      `bake: site '${site.name}', channel ${channel}: expected a finite mean and a variance above 0, got mean ` +
        `${mean[channel]} and variance ${variance[channel]}. Adapt to inputs that vary, or with a prior.`,
    );
  }
  const baked = new Map(
    site.kind === 'batchNorm'
      ? [
          [site.mean, Float32Array.from(mean)],
          [site.variance, Float32Array.from(variance)],
        ]
      : folded(site, statistics, before),
  );
  for (const values of baked.values()) {
    if (values.every(Number.isFinite)) continue;
    throw new StatisticsError(
      `bake: site '${site.name}': its statistics would need weights that are too large for float32.`,
    );
  }
  return baked;
}

/** y = (W x + b - mean) / sd, as weights and bias. */
function folded(
  { weights: { name, run }, bias, channels, epsilon }: FoldedSite,
  { mean, variance }: OneSite,
  before: ReadonlyMap<string, Float32Array>,
): [string, Float32Array][] {
  const scale = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
  const channelOf = (at: number) => Math.floor(at / run) % channels;
  return [
    [name, before.get(name)!.map((value, at) => value * scale[channelOf(at)]!)],
    [bias, before.get(bias)!.map((value, at) => (value - mean[at]!) * scale[at]!)],
  ];
}
