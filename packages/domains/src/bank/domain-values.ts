// The statistics of one domain on the host: one array for all sites of a model.

/** One site's statistics, one value per channel. */
export interface LayerValues {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/**
 * The means of all sites, one site after the other, then the variances of all sites: float32 [2, channels of all sites].
 * Values of other types are rounded.
 */
export function joined(
  sites: readonly { readonly mean: ArrayLike<number>; readonly variance: ArrayLike<number> }[],
): Float32Array {
  const channels = sites.reduce((sum, { mean }) => sum + mean.length, 0);
  const values = new Float32Array(2 * channels);
  let at = 0;
  for (const { mean, variance } of sites) {
    values.set(mean, at);
    values.set(variance, channels + at);
    at += mean.length;
  }
  return values;
}

/** The statistics of each site, as views of the array. */
export function apart(
  values: Float32Array,
  sites: readonly { readonly channels: number }[],
): readonly LayerValues[] {
  const all = values.length / 2;
  let at = 0;
  return sites.map(({ channels }) => {
    const [from, to] = [at, at + channels];
    at = to;
    return { mean: values.subarray(from, to), variance: values.subarray(all + from, all + to) };
  });
}
