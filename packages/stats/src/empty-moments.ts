/** The identity of merging. */
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';

/**
 * The moments of no data at all: count 0, zeros. Merging them with any moments gives those moments.
 *
 * @throws MomentsError unless `channels` is an integer >= 1.
 */
export function emptyMoments(channels: number): Moments {
  checkChannels(channels);
  return { count: 0, mean: new Float64Array(channels), variance: new Float64Array(channels) };
}

/** Throws a {@link MomentsError} unless `channels` is an integer >= 1. */
export function checkChannels(channels: number): void {
  if (!Number.isSafeInteger(channels) || channels < 1) {
    throw new MomentsError(`channels must be an integer >= 1, got ${String(channels)}.`);
  }
}
