import { shown } from '@rebatch/stats/~internal';

/**
 * What is wrong with statistics that a site of `channels` channels should hold in float32, or undefined: arrays of the
 * right length, and in them numbers. Nothing is converted: what JSON makes of NaN, a text or a list in the place of a
 * number are no statistics. Estimates and statistics that a user brings pass the same gate.
 *
 * @param epsilon what the site adds to variances before it divides by their root, which has to be above 0: variances that
 *   rounding has left below zero are usable then where it makes up for them, and 0 is not where there is no epsilon. Left
 *   out for what no site divides by yet: variances of at least 0 are usable.
 */
export function unusable(
  mean: unknown,
  variance: unknown,
  channels: number,
  epsilon?: number,
): string | undefined {
  if (!isArray(mean)) return `${shown(mean)} for the means`;
  if (!isArray(variance)) return `${shown(variance)} for the variances`;
  if (mean.length !== channels || variance.length !== channels) {
    return `${mean.length} means and ${variance.length} variances for ${channels} channels`;
  }
  for (let c = 0; c < channels; c++) {
    const [m, v] = [mean[c], variance[c]];
    if (!isFloat32(m)) return `mean ${shown(m)} for channel ${c}`;
    if (!isFloat32(v) || !isVariance(v, epsilon)) {
      return `variance ${shown(v)} for channel ${c}`;
    }
  }
  return undefined;
}

function isVariance(value: number, epsilon: number | undefined): boolean {
  if (epsilon === undefined) return value >= 0;
  return Math.fround(Math.fround(value) + Math.fround(epsilon)) > 0;
}

/** A list or a typed array, of whatever realm. */
function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isFloat32(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}
