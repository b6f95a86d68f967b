// The float64 reference for normalization batches of any composition: each value names the slot of its moments and that
// of its gamma and beta, so that segments, groups and tensors of several sizes are all the same to it.

/** For each value, by its index. */
export interface Slots {
  /** The moments that normalize it; -1: none, so that its y and dx are NaN and it counts nowhere. */
  readonly moments: ArrayLike<number>;
  /** Its gamma and beta. */
  readonly affine: ArrayLike<number>;
  /** How many slots there are of either kind, empty ones included. */
  readonly counts: { readonly moments: number; readonly affine: number };
}

export interface SlotOptions {
  readonly gamma?: ArrayLike<number> | undefined;
  readonly beta?: ArrayLike<number> | undefined;
  readonly epsilon: number;
  /** Moments that are constants, by slot: no gradient passes through them. */
  readonly constants?: ReadonlyMap<number, { readonly mean: number; readonly variance: number }>;
  /** Whether each value is part of the moments that normalize it; without, all are. */
  readonly counted?: ArrayLike<boolean>;
}

/** Count, mean and biased variance of each of `slots` slots, by two passes; 0 for an empty one. */
export function referenceSlotMoments(x: ArrayLike<number>, of: ArrayLike<number>, slots: number) {
  const sums = (term: (i: number, slot: number) => number) => {
    const total = new Float64Array(slots);
    for (let i = 0; i < x.length; i++) if (of[i]! >= 0) total[of[i]!]! += term(i, of[i]!);
    return total;
  };
  const count = sums(() => 1);
  const perValue = (total: Float64Array) =>
    total.map((sum, slot) => (count[slot] === 0 ? 0 : sum / count[slot]!));
  const rough = perValue(sums((i) => x[i]!));
  // A second sum of the residuals removes what rounding left in the first.
  const residual = perValue(sums((i, slot) => x[i]! - rough[slot]!));
  const mean = rough.map((value, slot) => value + residual[slot]!);
  const variance = perValue(sums((i, slot) => (x[i]! - mean[slot]!) ** 2));
  return { count, mean, variance };
}

/** y, and the gradients of sum(dy * y) for x, gamma and beta. */
export function referenceSlotNorm(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  slots: Slots,
  { gamma, beta, epsilon, constants = new Map(), counted }: SlotOptions,
) {
  const counts = (i: number) => counted?.[i] ?? true;
  const partOf = Int32Array.from({ length: x.length }, (_, i) => (counts(i) ? slots.moments[i]! : -1));
  const { count, mean, variance } = referenceSlotMoments(x, partOf, slots.counts.moments);
  for (const [slot, given] of constants) {
    mean[slot] = given.mean;
    variance[slot] = given.variance;
  }
  const deviation = variance.map((value) => Math.sqrt(value + epsilon));
  const xhat = Float64Array.from({ length: x.length }, (_, i) => {
    const slot = slots.moments[i]!;
    return slot < 0 ? Number.NaN : (x[i]! - mean[slot]!) / deviation[slot]!;
  });
  const y = new Float64Array(x.length);
  const dxhat = new Float64Array(x.length);
  const [dgamma, dbeta] = [new Float64Array(slots.counts.affine), new Float64Array(slots.counts.affine)];
  const [pullOfMean, pullOfVariance] = [new Float64Array(mean.length), new Float64Array(mean.length)];
  for (let i = 0; i < x.length; i++) {
    const [slot, affine] = [slots.moments[i]!, slots.affine[i]!];
    y[i] = xhat[i]! * (gamma?.[affine] ?? 1) + (beta?.[affine] ?? 0);
    dxhat[i] = dy[i]! * (gamma?.[affine] ?? 1);
    if (slot < 0) continue;
    dgamma[affine]! += dy[i]! * xhat[i]!;
    dbeta[affine]! += dy[i]!;
    if (constants.has(slot)) continue;
    pullOfMean[slot]! += dxhat[i]! / count[slot]!;
    pullOfVariance[slot]! += (dxhat[i]! * xhat[i]!) / count[slot]!;
  }
  const dx = Float64Array.from({ length: x.length }, (_, i) => {
    const slot = slots.moments[i]!;
    if (slot < 0) return Number.NaN;
    const pulls = counts(i) ? pullOfMean[slot]! + xhat[i]! * pullOfVariance[slot]! : 0;
    return (dxhat[i]! - pulls) / deviation[slot]!;
  });
  return { y, dx, dgamma, dbeta, mean, variance, count };
}
