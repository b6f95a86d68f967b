// How much frames count, see `online-state.ts`.

/** Of all frames so far, with decay. */
export interface Weights {
  /** The sum of the samples' weights: S. */
  readonly sum: number;
  /** The sum of their squares: Q. */
  readonly squares: number;
}

/** Before the first frame. */
export const NO_WEIGHTS: Weights = { sum: 0, squares: 0 };

/** With one more frame of so many samples. */
export function withFrame({ sum, squares }: Weights, decay: number, samples: number): Weights {
  return { sum: decay * sum + samples, squares: decay * decay * squares + samples };
}

/** The share of the target in the blend with the source: w, 0 before the first frame. */
export function targetShare({ sum, squares }: Weights, prior: number): number {
  if (squares === 0) return 0;
  const samples = (sum * sum) / squares;
  return samples / (prior + samples);
}

/**
 * (1 - share) source + share target, value by value. One of them that does not count may hold anything, NaN included.
 *
 * @param into where the result goes.
 */
export function blend(
  source: ArrayLike<number>,
  target: ArrayLike<number>,
  share: number,
  into: Float32Array | Float64Array,
): void {
  if (share === 0 || share === 1) {
    into.set(share === 0 ? source : target);
    return;
  }
  const rest = 1 - share;
  for (let i = 0; i < into.length; i++) into[i] = rest * source[i]! + share * target[i]!;
}

/** Means and then variances in one array, [2, channels], as the statistics of a layer. */
export function unpacked(both: Float64Array) {
  const channels = both.length / 2;
  return { mean: both.slice(0, channels), variance: both.slice(channels) };
}
