// Measured numbers in words, and as evidence.
import type { ChannelSummary } from '@rebatch/recalibrate';
import type { Shifted } from './judge.ts';
import type { DriftErrors, ErrorComparison, ErrorRate, Shift } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';

export function shiftEvidence(
  key: 'shift' | 'estimationShift' | 'drift',
  { layer, shift }: Omit<Shifted, 'severity'>,
) {
  return {
    layer: layer.name,
    [`${key}.mean.rms`]: shift.mean.rms,
    [`${key}.variance.rms`]: shift.variance.rms,
    [`${key}.standardErrors.mean`]: shift.standardErrors.mean,
    [`${key}.standardErrors.variance`]: shift.standardErrors.variance,
    'threshold.meanShift': LIMITS.meanShift,
    'threshold.varianceShift': LIMITS.varianceShift,
  };
}

export function errorEvidence(key: string, difference: ErrorRate | undefined): Record<string, number> {
  if (!difference) return {};
  return {
    [`errors.differences.${key}.error`]: difference.error,
    [`errors.differences.${key}.standardError`]: difference.standardError,
    'threshold.error': LIMITS.error,
  };
}

export function driftEvidence({ error, standardError }: ErrorRate): Record<string, number> {
  return {
    'driftErrors.storedMinusMatched.error': error,
    'driftErrors.storedMinusMatched.standardError': standardError,
    'threshold.error': LIMITS.error,
  };
}

export function describeShift({ mean, variance }: Pick<Shift, 'mean' | 'variance'>): string {
  const factor = (summary: ChannelSummary) => number(Math.exp(Math.min(summary.rms, 700)));
  return `${number(mean.rms)} standard deviations in the mean and a factor ${factor(variance)} in the variance`;
}

export const number = (value: number): string =>
  value >= 1000 ? value.toExponential(1) : value.toPrecision(2);
/** Four digits: 255 is not 260. */
export const exact = (value: number): string => String(Number(value.toPrecision(4)));
export const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
/** A difference of errors, with its standard error. */
export const describeGain = ({ error, standardError }: ErrorRate): string =>
  `${(100 * error).toFixed(1)} ± ${(100 * standardError).toFixed(1)} percentage points`;

/** The errors with the stored statistics and with precise ones; without a full stop. */
export const describeErrors = ({ samples, stored, precise }: ErrorComparison): string =>
  `On ${samples} held-out samples the model makes an error of ${percent(stored.error)} with the stored statistics and ` +
  `${percent(precise.error)} with precise ones`;

/** The errors of the model as it is and matched to a reference; without a full stop. */
export const describeDriftErrors = ({ samples, stored, matched }: DriftErrors): string =>
  `On ${samples} held-out samples the model makes an error of ${percent(stored.error)} as it is and ` +
  `${percent(matched.error)} matched`;
