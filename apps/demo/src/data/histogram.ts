// How often the values of one channel come up, in standard deviations from where the statistics in use say its mean is.

/** Histograms go from -REACH to REACH standard deviations. */
export const REACH = 4;
export const BINS = 48;

/** The share of values in each bin; what is beyond is in the outermost ones, so that nothing gets out of sight. */
export type Histogram = Float64Array;

/** The histogram of (value - mean) / deviation. */
export function histogramOf(values: ArrayLike<number>, mean: number, deviation: number): Histogram {
  const shares = new Float64Array(BINS);
  for (let i = 0; i < values.length; i++) {
    const normalized = ((values[i] as number) - mean) / deviation;
    const bin = Math.floor(((normalized + REACH) / (2 * REACH)) * BINS);
    shares[Math.min(BINS - 1, Math.max(0, bin))]! += 1 / values.length;
  }
  return shares;
}
