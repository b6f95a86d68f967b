// Quantities with one value per channel, in the few numbers of a report.
import { type EpsilonOptions, type MeanAndVariance, normalizedShift } from '@rebatch/stats';

/** A quantity with one value per channel, in two numbers. */
export interface ChannelSummary {
  /** Root mean square over the channels. */
  readonly rms: number;
  /** Largest absolute value. */
  readonly max: number;
}

/** A pair of quantities about a mean and a variance. */
export interface MomentsSummary {
  readonly mean: ChannelSummary;
  readonly variance: ChannelSummary;
}

export function rootMeanSquare(values: Float64Array): number {
  let squares = 0;
  for (let c = 0; c < values.length; c++) squares += values[c]! * values[c]!;
  return Math.sqrt(squares / values.length);
}

/** @param values one per channel, at least one. */
export function summarizeChannels(values: Float64Array): ChannelSummary {
  let max = 0;
  for (let c = 0; c < values.length; c++) max = Math.max(max, Math.abs(values[c]!));
  return { rms: rootMeanSquare(values), max };
}

/**
 * `normalizedShift` over the channels: of the mean in standard deviations of `from`, of the variance as a difference of
 * natural logarithms (0.1 is about 10%).
 *
 * @throws {MomentsError} as `normalizedShift` does.
 */
export function summarizeShift(
  from: MeanAndVariance,
  to: MeanAndVariance,
  options: EpsilonOptions,
): MomentsSummary {
  const shift = normalizedShift(from, to, options);
  return { mean: summarizeChannels(shift.mean), variance: summarizeChannels(shift.variance) };
}
