// Moments are values; this is how they are handed on without sharing memory.
import type { Moments } from './moments.ts';

/** A copy that shares no memory with `moments`. */
export function copyMoments({ count, mean, variance }: Moments): Moments {
  return { count, mean: mean.slice(), variance: variance.slice() };
}
