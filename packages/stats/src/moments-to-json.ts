// Moments as compact JSON that survives the round trip bit for bit.
import { checkMoments } from './check-moments.ts';
import { float64ToBase64 } from './float64-base64.ts';
import type { Moments } from './moments.ts';

/**
 * Moments as JSON, version 1. `mean` and `variance` are base64 of little-endian float64, 8 bytes per channel:
 * exact, about half the size of decimals, and independent of the platform.
 */
export interface MomentsJSON {
  readonly version: 1;
  readonly count: number;
  readonly mean: string;
  readonly variance: string;
}

/**
 * A JSON-able object from which `momentsFromJSON` restores the same bits. Runs in Node and in browsers.
 *
 * @throws MomentsError if the moments are invalid (nothing is written that could not be read).
 */
export function momentsToJSON(moments: Moments): MomentsJSON {
  checkMoments(moments, 'momentsToJSON');
  return {
    version: 1,
    count: moments.count,
    mean: float64ToBase64(moments.mean),
    variance: float64ToBase64(moments.variance),
  };
}
