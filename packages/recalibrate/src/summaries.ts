/** Quantities with one value per channel, in the few numbers of a report. */
import { type EpsilonOptions, type Moments, normalizedShift } from '@rebatch/stats';

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
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** @param values one per channel, at least one. */
export function summarizeChannels(values: Float64Array): ChannelSummary {
  return {
    rms: rootMeanSquare(values),
    max: values.reduce((max, value) => Math.max(max, Math.abs(value)), 0),
  };
}

/**
 * `normalizedShift` over the channels: of the mean in standard deviations of `from`, of the variance as a difference of
 * natural logarithms (0.1 is about 10%).
 *
 * @throws {MomentsError} as `normalizedShift` does.
 */
export function summarizeShift(
  from: Omit<Moments, 'count'>,
  to: Omit<Moments, 'count'>,
  options: EpsilonOptions,
): MomentsSummary {
  const shift = normalizedShift({ ...from, count: 1 }, { ...to, count: 1 }, options);
  return { mean: summarizeChannels(shift.mean), variance: summarizeChannels(shift.variance) };
}
