/** The gate every set of moments passes before it is used: nothing downstream has to doubt its input again. */
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';

/**
 * Throws a {@link MomentsError} unless `moments` is usable: a finite count >= 0, `mean` and `variance` of one
 * length (>= 1 channel), every mean finite, every variance finite and >= 0. Returns its argument.
 *
 * @param what how to call the moments in the message, for instance `batch 3 of layer "conv2"`.
 */
export function checkMoments(moments: Moments, what = 'moments'): Moments {
  const { count, mean, variance } = moments ?? {};
  if (!isFloat64Array(mean) || !isFloat64Array(variance)) {
    throw new MomentsError(
      `${what}: expected {count, mean: Float64Array, variance: Float64Array}, got mean: ${nameOf(mean)}, ` +
        `variance: ${nameOf(variance)}. Make them with momentsOf(), or convert with Float64Array.from().`,
    );
  }
  if (typeof count !== 'number' || !(count >= 0 && count < Infinity)) {
    throw new MomentsError(
      `${what}: count must be a finite number >= 0 (values per channel), got ${String(count)}.`,
    );
  }
  if (mean.length !== variance.length || mean.length === 0) {
    throw new MomentsError(
      `${what}: mean and variance need one entry per channel, at least one; ` +
        `got ${mean.length} means and ${variance.length} variances.`,
    );
  }
  for (let c = 0; c < mean.length; c++) {
    const m = mean[c]!;
    const v = variance[c]!;
    if (!Number.isFinite(m)) {
      throw new MomentsError(`${what}: the mean of channel ${c} is ${m}; means must be finite.`);
    }
    if (!(v >= 0 && v < Infinity)) {
      throw new MomentsError(
        `${what}: the variance of channel ${c} is ${v}; variances must be finite and >= 0.`,
      );
    }
  }
  return moments;
}

/** Throws a {@link MomentsError} that states both channel counts, unless `a` and `b` have the same. */
export function checkSameChannels(a: Moments, b: Moments, what = 'moments'): void {
  if (a.mean.length !== b.mean.length) {
    throw new MomentsError(
      `${what}: the channels differ, ${a.mean.length} against ${b.mean.length}. ` +
        'Only moments of the same channels can be put together.',
    );
  }
}

// By tag and not by `instanceof`, which fails for arrays made in another realm (a test runner's, an iframe's).
function isFloat64Array(value: unknown): value is Float64Array {
  return Object.prototype.toString.call(value) === '[object Float64Array]';
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'object') : String(value);
}
