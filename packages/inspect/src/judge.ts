// When a measured number is a fault, when it certainly is none, and when it is neither.
import type { ErrorComparison, ErrorRate, LayerInspection, Shift } from './report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from './thresholds.ts';

/** The worst shift of a model. */
export interface Shifted {
  readonly layer: LayerInspection;
  readonly shift: Shift;
  /** Above 1: a fault. */
  readonly severity: number;
}

/** The layer that is worst off, judged by the smallest of its shifts. */
export function worst(
  layers: readonly LayerInspection[],
  shiftsOf: (layer: LayerInspection) => readonly (Shift | null)[],
): Shifted | undefined {
  let found: Shifted | undefined;
  for (const layer of layers) {
    const judged = shiftsOf(layer)
      .filter((shift) => shift !== null)
      .map((shift) => ({ layer, shift, severity: severityOf(shift) }));
    const [first] = judged;
    if (!first) continue;
    const severity = Math.min(...judged.map((one) => one.severity));
    if (!found || severity > found.severity) found = { ...first, severity };
  }
  return found;
}

/**
 * How many standard errors are certain, if they were themselves estimated from so many batches: the quantile of
 * Student's t with one degree of freedom less than batches, at the level that `standardErrors` is for a Gaussian.
 * Cornish-Fisher expansion (Abramowitz & Stegun 1964, 26.7.5), from five batches on within 1%.
 */
export function standardErrorsOf({ batches }: { readonly batches: number }): number {
  const z = LIMITS.standardErrors;
  const freedom = batches - 1;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return terms.reduce((sum, term, i) => sum + term / freedom ** (i + 1), z);
}

const limitOf = (of: 'mean' | 'variance') => (of === 'mean' ? LIMITS.meanShift : LIMITS.varianceShift);

/** Above 1: a fault. */
export const severityOf = (shift: Shift) => Math.max(excess(shift, 'mean'), excess(shift, 'variance'));

/** A shift in multiples of what it takes to be a fault; 0 if too few batches stand behind it to tell. */
function excess(shift: Shift, of: 'mean' | 'variance'): number {
  if (shift.batches < LIMITS.batches) return 0;
  return shift[of].rms / Math.max(limitOf(of), standardErrorsOf(shift) * shift.standardErrors[of]);
}

/** `standardErrorsOf` for two, three and four batches, where the expansion fails: exact quantiles at the same level. */
const FEWEST: Readonly<Record<number, number>> = { 2: 235.8, 3: 19.21, 4: 9.219 };

/**
 * Certainly further than other inputs of the same kind could move a layer. Such distances are certain from few batches,
 * too.
 */
export function isFar(shift: Shift): boolean {
  const certain = FEWEST[shift.batches] ?? standardErrorsOf(shift);
  return (
    shift.mean.rms > Math.max(LIMITS.inputMeanShift, certain * shift.standardErrors.mean) ||
    shift.variance.rms > Math.max(LIMITS.inputVarianceShift, certain * shift.standardErrors.variance)
  );
}

/** Certainly no fault. */
export function isCalm(shift: Shift): boolean {
  if (shift.batches < LIMITS.batches) return false;
  return (['mean', 'variance'] as const).every(
    (of) => shift[of].rms + standardErrorsOf(shift) * shift.standardErrors[of] < limitOf(of),
  );
}

export type Noise = NonNullable<LayerInspection['noise']>;

/** Above 1: certainly a fault. */
export const noiseSeverity = (noise: Noise) =>
  noise.batches < LIMITS.batches ? 0 : noiseIn(noise, -standardErrorsOf(noise));

/** Below 1: certainly no fault. */
export const noiseCeiling = (noise: Noise) =>
  noise.batches < LIMITS.batches ? Number.POSITIVE_INFINITY : noiseIn(noise, standardErrorsOf(noise));

/** Noise in multiples of its threshold, so many standard errors off. */
function noiseIn({ mean, variance, standardErrors }: Noise, off: number): number {
  return Math.max(
    (mean + off * standardErrors.mean) / LIMITS.meanNoise,
    (variance + off * standardErrors.variance) / LIMITS.varianceNoise,
  );
}

export function isAbove({ error, standardError }: ErrorRate): boolean {
  return error > Math.max(LIMITS.error, LIMITS.standardErrors * standardError);
}

export function isNegligible({ error, standardError }: ErrorRate): boolean {
  return Math.abs(error) + LIMITS.standardErrors * standardError < LIMITS.error;
}

/** Worse by more than one standard error. Advice must do no harm, so that much speaks against it. */
export function isWorse({ error, standardError }: ErrorRate): boolean {
  return error < -standardError;
}

/** Whether the stored statistics make fewer errors than any others, by more than one standard error and by what counts. */
export function storedAreBest(errors: ErrorComparison): boolean {
  return outdoAll(errors, (difference) => isWorse(difference) && difference.error < -LIMITS.error);
}

/** The same, by what is certain. */
export function storedAreCertainlyBest(errors: ErrorComparison): boolean {
  return outdoAll(errors, isCertainlyWorse);
}

/** Certainly worse, and by what counts. */
export function isCertainlyWorse({ error, standardError }: ErrorRate): boolean {
  return isAbove({ error: -error, standardError });
}

/** @param outdo whether the stored statistics outdo others, by the difference of their errors. */
function outdoAll({ differences }: ErrorComparison, outdo: (difference: ErrorRate) => boolean): boolean {
  const { storedMinusPrecise, storedMinusLayerwise, preciseMinusBatch, storedMinusRepaired } = differences;
  if (storedMinusRepaired && isAbove(storedMinusRepaired)) return false;
  return [storedMinusPrecise, storedMinusLayerwise, sumOf(storedMinusPrecise, preciseMinusBatch)].every(
    (difference) => !difference || outdo(difference),
  );
}

/** The sum of two differences of errors, its standard error as if they were independent. */
export const sumOf = (a: ErrorRate, b: ErrorRate): ErrorRate => ({
  error: a.error + b.error,
  standardError: Math.hypot(a.standardError, b.standardError),
});
