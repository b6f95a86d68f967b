// Moments are values; this is how they are handed on without sharing memory.
import { checkArrays } from './check-moments.ts';
import type { Moments } from './moments.ts';

/**
 * A copy that shares no memory with `moments`.
 *
 * @throws MomentsError for what has no mean and variance.
 */
export function copyMoments(moments: Moments): Moments {
  checkArrays(moments, 'copyMoments', '{count, mean: Float64Array, variance: Float64Array}');
  const { count, mean, variance } = moments;
  return { count, mean: mean.slice(), variance: variance.slice() };
}
