// Checks a set of moments before it is used, so that no later code has to doubt it.
import { MomentsError } from './errors.ts';
import type { MeanAndVariance, Moments } from './moments.ts';
import { shown } from './options/shown.ts';

/**
 * Throws a {@link MomentsError} unless `moments` is usable: a finite count >= 0, and what `checkMeanAndVariance` asks
 * for. Returns its argument.
 *
 * @param what how to call the moments in the message, for instance `batch 3 of layer "conv2"`.
 */
export function checkMoments(moments: Moments, what = 'moments'): Moments {
  if (isSound(moments)) return moments;
  checkArrays(moments, what, '{count, mean: Float64Array, variance: Float64Array}');
  const { count } = moments;
  if (typeof count !== 'number' || !(count >= 0 && count < Infinity)) {
    throw new MomentsError(
      `${what}: count must be a finite number >= 0 (values per channel), got ${shown(count)}.`,
    );
  }
  checkChannels(moments, what);
  return moments;
}

/**
 * Throws a {@link MomentsError} unless `mean` and `variance` are usable: Float64Arrays of one length (>= 1 channel),
 * every mean finite, every variance finite and >= 0. Returns its argument. A count, if there is one, plays no role.
 *
 * @param what how to call them in the message, for instance `the statistics of layer "conv2"`.
 */
export function checkMeanAndVariance<T extends MeanAndVariance>(statistics: T, what = 'statistics'): T {
  if (areSound(statistics)) return statistics;
  checkArrays(statistics, what, '{mean: Float64Array, variance: Float64Array}');
  checkChannels(statistics, what);
  return statistics;
}

/**
 * Whether `checkMoments` accepts the moments, without a name for them: for those who check many sets and would make up the
 * names of all for the message about one. Never throws.
 */
export function isSound(moments: Moments): boolean {
  const { count } = moments ?? {};
  return typeof count === 'number' && count >= 0 && count < Infinity && areSound(moments);
}

/** The same for `checkMeanAndVariance`. */
function areSound(statistics: MeanAndVariance): boolean {
  const { mean, variance } = statistics ?? {};
  if (!isFloat64Array(mean) || !isFloat64Array(variance)) return false;
  const channels = mean.length;
  if (channels === 0 || variance.length !== channels) return false;
  for (let c = 0; c < channels; c++) {
    const v = variance[c]!;
    // Of what is not finite, the difference to itself is NaN.
    if (mean[c]! - mean[c]! !== 0 || !(v >= 0 && v < Infinity)) return false;
  }
  return true;
}

/** Throws a {@link MomentsError} that names `expected` unless there are two Float64Arrays, whatever is in them. */
export function checkArrays(statistics: MeanAndVariance, what: string, expected: string): void {
  const { mean, variance } = statistics ?? {};
  if (isFloat64Array(mean) && isFloat64Array(variance)) return;
  throw new MomentsError(
    `${what}: expected ${expected}, got mean: ${shown(mean)}, variance: ${shown(variance)}. ` +
      'Make them with momentsOf(), or convert with Float64Array.from().',
  );
}

function checkChannels({ mean, variance }: MeanAndVariance, what: string): void {
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
}

/** Throws a {@link MomentsError} that states both channel counts, unless `a` and `b` have the same; or says that one is no moments. */
export function checkSameChannels(a: MeanAndVariance, b: MeanAndVariance, what = 'moments'): void {
  if (a?.mean?.length === undefined) checkArrays(a, what, '{mean: Float64Array, variance: Float64Array}');
  if (b?.mean?.length === undefined) checkArrays(b, what, '{mean: Float64Array, variance: Float64Array}');
  if (a.mean.length !== b.mean.length) {
    throw new MomentsError(
      `${what}: the channels differ, ${a.mean.length} against ${b.mean.length}. ` +
        'Only moments of the same channels can be put together.',
    );
  }
}

// By tag where `instanceof` says no, as it does of arrays made in another realm (a test runner's, an iframe's).
function isFloat64Array(value: unknown): value is Float64Array {
  return value instanceof Float64Array || Object.prototype.toString.call(value) === '[object Float64Array]';
}
