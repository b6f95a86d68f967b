// How often normalized activations take each value: what batch normalization promises the next layer is mean 0 and
// deviation 1, and a domain with other statistics breaks the promise.

import { BINS, type Histogram, REACH } from './settings.ts';

export interface ChannelStatistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/**
 * The histogram of (x - mean) / sqrt(variance + epsilon) over all channels.
 *
 * @param values inputs of a layer, rows x channels.
 */
export function histogram(
  values: Float32Array,
  { mean, variance }: ChannelStatistics,
  epsilon: number,
): Histogram {
  const channels = mean.length;
  const scales = Float64Array.from({ length: channels }, (_, c) => 1 / Math.sqrt(variance[c]! + epsilon));
  const shares = new Float64Array(BINS);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    const normalized = (values[i]! - mean[c]!) * scales[c]!;
    sum += normalized;
    squares += normalized * normalized;
    const bin = Math.floor(((normalized + REACH) / (2 * REACH)) * BINS);
    if (bin >= 0 && bin < BINS) shares[bin]!++;
  }
  const count = values.length;
  const center = sum / count;
  return {
    shares: shares.map((number) => number / count),
    mean: center,
    deviation: Math.sqrt(Math.max(0, squares / count - center * center)),
  };
}
