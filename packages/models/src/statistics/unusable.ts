import { shown } from '@rebatch/stats/~internal';

/**
 * What is wrong with statistics that a site of `channels` channels should hold in float32, or undefined: arrays of the
 * right length, and in them numbers. Nothing is converted: what JSON makes of NaN, a text or a list in the place of a
 * number are no statistics. Estimates and statistics that a user brings pass the same gate.
 *
 * @param epsilon variances that rounding has left below zero are usable where the site, which adds this to them, can divide
 *   by their root all the same. Default 0: none are.
 */
export function unusable(
  mean: unknown,
  variance: unknown,
  channels: number,
  epsilon = 0,
): string | undefined {
  if (!isArray(mean)) return `${shown(mean)} for the means`;
  if (!isArray(variance)) return `${shown(variance)} for the variances`;
  if (mean.length !== channels || variance.length !== channels) {
    return `${mean.length} means and ${variance.length} variances for ${channels} channels`;
  }
  for (let c = 0; c < channels; c++) {
    const [m, v] = [mean[c], variance[c]];
    if (!isFloat32(m)) return `mean ${shown(m)} for channel ${c}`;
    if (!isFloat32(v) || !(v >= 0 || Math.fround(Math.fround(v) + Math.fround(epsilon)) > 0)) {
      return `variance ${shown(v)} for channel ${c}`;
    }
  }
  return undefined;
}

/** A list or a typed array, of whatever realm. */
function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isFloat32(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}
