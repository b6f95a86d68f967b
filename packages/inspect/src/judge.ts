/** When a measured number is a fault, when it certainly is none, and when it is neither. */
import type { ErrorRate, LayerInspection, Shift } from './report.ts';
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
      .map((shift) => ({
        layer,
        shift,
        severity: Math.max(excess(shift, 'mean'), excess(shift, 'variance')),
      }));
    const [first] = judged;
    if (!first) continue;
    const severity = Math.min(...judged.map((one) => one.severity));
    if (!found || severity > found.severity) found = { ...first, severity };
  }
  return found;
}

const limitOf = (of: 'mean' | 'variance') => (of === 'mean' ? LIMITS.meanShift : LIMITS.varianceShift);

/** A shift in multiples of what it takes to be a fault. */
function excess(shift: Shift, of: 'mean' | 'variance'): number {
  return shift[of].rms / Math.max(limitOf(of), LIMITS.standardErrors * shift.standardErrors[of]);
}

/** Certainly no fault. */
export function isCalm(shift: Shift): boolean {
  return (['mean', 'variance'] as const).every(
    (of) => shift[of].rms + LIMITS.standardErrors * shift.standardErrors[of] < limitOf(of),
  );
}

export type Noise = NonNullable<LayerInspection['noise']>;

export const noiseSeverity = (noise: Noise) => noiseIn(noise, -LIMITS.standardErrors);
export const noiseCeiling = (noise: Noise) => noiseIn(noise, LIMITS.standardErrors);

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

export const opposite = ({ error, standardError }: ErrorRate): ErrorRate => ({
  error: -error,
  standardError,
});
