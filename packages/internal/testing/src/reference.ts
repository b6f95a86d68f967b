/** x as row-major [outer, channels, inner]; group g is the g-th run of outer / groups outer indices. */
export interface Layout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

/** Calls `visit(flat index, group-and-channel index, channel)` for every value. */
function forEachValue(layout: Layout, visit: (index: number, slot: number, channel: number) => void): void {
  const { outer, channels, inner, groups } = layout;
  const perGroup = outer / groups;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const slot = Math.floor(o / perGroup) * channels + c;
      for (let i = 0; i < inner; i++) visit((o * channels + c) * inner + i, slot, c);
    }
  }
}

const valuesPerSlot = (layout: Layout) => (layout.outer / layout.groups) * layout.inner;

/** Mean and biased variance per group and channel ([groups, channels] row-major), by two passes. */
export function referenceMoments(x: ArrayLike<number>, layout: Layout) {
  const slots = layout.groups * layout.channels;
  const n = valuesPerSlot(layout);
  const mean = new Float64Array(slots);
  const variance = new Float64Array(slots);
  forEachValue(layout, (i, slot) => {
    mean[slot]! += x[i]! / n;
  });
  // A second sum of the residuals removes what rounding left in the first.
  const residual = new Float64Array(slots);
  forEachValue(layout, (i, slot) => {
    residual[slot]! += x[i]! - mean[slot]!;
  });
  for (let s = 0; s < slots; s++) mean[s]! += residual[s]! / n;
  forEachValue(layout, (i, slot) => {
    variance[slot]! += (x[i]! - mean[slot]!) ** 2 / n;
  });
  return { mean, variance, count: n };
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta. */
export function referenceNormalize(
  x: ArrayLike<number>,
  layout: Layout,
  moments: { mean: ArrayLike<number>; variance: ArrayLike<number> },
  options: { gamma?: ArrayLike<number>; beta?: ArrayLike<number>; epsilon: number },
): Float64Array {
  const y = new Float64Array(x.length);
  forEachValue(layout, (i, slot, c) => {
    const xhat = (x[i]! - moments.mean[slot]!) / Math.sqrt(moments.variance[slot]! + options.epsilon);
    y[i] = xhat * (options.gamma?.[c] ?? 1) + (options.beta?.[c] ?? 0);
  });
  return y;
}

/** Batch normalization by the batch's own moments. */
export function referenceBatchNorm(
  x: ArrayLike<number>,
  layout: Layout,
  options: { gamma?: ArrayLike<number>; beta?: ArrayLike<number>; epsilon: number },
): Float64Array {
  return referenceNormalize(x, layout, referenceMoments(x, layout), options);
}

/** Gradients of sum(dy * batchNorm(x)), and the two sums per group and channel that they are made of. */
export function referenceBatchNormGradients(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  layout: Layout,
  options: { gamma?: ArrayLike<number>; epsilon: number },
) {
  const { mean, variance, count } = referenceMoments(x, layout);
  const slots = layout.groups * layout.channels;
  const sumDy = new Float64Array(slots);
  const sumDyXhat = new Float64Array(slots);
  const dgamma = new Float64Array(layout.channels);
  const dbeta = new Float64Array(layout.channels);
  const deviation = (slot: number) => Math.sqrt(variance[slot]! + options.epsilon);
  forEachValue(layout, (i, slot, c) => {
    const xhat = (x[i]! - mean[slot]!) / deviation(slot);
    sumDy[slot]! += dy[i]!;
    sumDyXhat[slot]! += dy[i]! * xhat;
    dbeta[c]! += dy[i]!;
    dgamma[c]! += dy[i]! * xhat;
  });
  const dx = new Float64Array(x.length);
  forEachValue(layout, (i, slot, c) => {
    const xhat = (x[i]! - mean[slot]!) / deviation(slot);
    const scale = (options.gamma?.[c] ?? 1) / deviation(slot);
    dx[i] = scale * (dy[i]! - sumDy[slot]! / count - (xhat * sumDyXhat[slot]!) / count);
  });
  return { dx, dgamma, dbeta, sumDy, sumDyXhat };
}
