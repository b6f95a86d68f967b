// The moments of nothing: merging them with others changes nothing.
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import { checkValue } from './options/check-options.ts';
import { integer } from './options/rules.ts';

/**
 * The moments of no data at all: count 0, zeros. Merging them with any moments gives those moments.
 *
 * @throws MomentsError unless `channels` is an integer >= 1.
 */
export function emptyMoments(channels: number): Moments {
  checkValue('emptyMoments', 'channels', channels, integer({ least: 1 }), MomentsError);
  return { count: 0, mean: new Float64Array(channels), variance: new Float64Array(channels) };
}
