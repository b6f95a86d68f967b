/**
 * What is wrong with statistics that a layer of `channels` channels should hold in float32, or undefined.
 * Estimates and statistics that a user brings pass the same gate.
 */
export function unusable(
  mean: ArrayLike<number> | undefined,
  variance: ArrayLike<number> | undefined,
  channels: number,
): string | undefined {
  if (mean?.length !== channels || variance?.length !== channels) {
    return `${mean?.length} means and ${variance?.length} variances for ${channels} channels`;
  }
  for (let c = 0; c < channels; c++) {
    if (!Number.isFinite(Math.fround(mean[c]!))) return `mean ${mean[c]} for channel ${c}`;
    const v = variance[c]!;
    if (!(v >= 0 && Number.isFinite(Math.fround(v)))) return `variance ${v} for channel ${c}`;
  }
  return undefined;
}
