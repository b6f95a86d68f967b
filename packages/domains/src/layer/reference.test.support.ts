// Batch normalization by domains in plain float64 loops.

/** A batch as [samples][positions][channels], and the domain of each sample. */
export interface MixedBatch {
  readonly x: ArrayLike<number>;
  readonly ids: readonly number[];
  readonly positions: number;
  readonly channels: number;
}

export interface ReferenceMoments {
  readonly mean: number[];
  readonly variance: number[];
  readonly count: number;
}

/** Mean and biased variance per channel over the samples of some domains. */
export function momentsOfDomains({ x, ids, positions, channels }: MixedBatch, domains: readonly number[]) {
  const mean = Array<number>(channels).fill(0);
  const variance = Array<number>(channels).fill(0);
  let count = 0;
  const each = (visit: (value: number, c: number) => void) => {
    ids.forEach((id, sample) => {
      if (!domains.includes(id)) return;
      for (let i = 0; i < positions * channels; i++) {
        visit(x[sample * positions * channels + i]!, i % channels);
      }
    });
  };
  for (const id of ids) if (domains.includes(id)) count += positions;
  each((value, c) => {
    mean[c]! += value / count;
  });
  each((value, c) => {
    variance[c]! += (value - mean[c]!) ** 2 / count;
  });
  return { mean, variance, count } satisfies ReferenceMoments;
}

/** Each sample normalized by what `of` says of its domain. */
export function normalizeByDomain(
  { x, ids, positions, channels }: MixedBatch,
  of: (domain: number) => {
    readonly mean: ArrayLike<number>;
    readonly variance: ArrayLike<number>;
    readonly gamma: ArrayLike<number>;
    readonly beta: ArrayLike<number>;
  },
  epsilon = 1e-3,
): Float64Array {
  return Float64Array.from({ length: ids.length * positions * channels }, (_, i) => {
    const c = i % channels;
    const { mean, variance, gamma, beta } = of(ids[Math.floor(i / (positions * channels))]!);
    return ((x[i]! - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * gamma[c]! + beta[c]!;
  });
}

/** One step of the EMA. */
export function moved(from: ArrayLike<number>, to: ArrayLike<number>, momentum: number): number[] {
  return Array.from(to, (value, c) => from[c]! * momentum + value * (1 - momentum));
}

/** The gradient of a scalar function by central differences. */
export function numericGradient(
  f: (x: Float64Array) => number,
  x: ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  return Float64Array.from({ length: x.length }, (_, i) => {
    const at = (value: number) => {
      const moved = Float64Array.from(x);
      moved[i] = value;
      return f(moved);
    };
    return (at(x[i]! + step) - at(x[i]! - step)) / (2 * step);
  });
}
