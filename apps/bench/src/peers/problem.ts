// The batch normalization that every peer is given: the same numbers, whatever its arrays are called.

/** The default of `tf.layers` and of ours. */
export const EPSILON = 1e-3;

/** Values in row-major order; gamma and beta have one per channel. */
export interface Problem {
  readonly shape: readonly number[];
  /** The channel axis. */
  readonly axis: number;
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** What batch normalization makes of it, as far as it was asked for. */
export interface Solution {
  readonly y: ArrayLike<number>;
  readonly dx?: ArrayLike<number>;
  readonly dgamma?: ArrayLike<number>;
  readonly dbeta?: ArrayLike<number>;
}

/** The problem with its channels moved to axis 1: the same values in another order. */
export function channelsFirst(problem: Problem): Problem {
  const { shape, axis } = problem;
  const channels = shape[axis]!;
  const inner = product(shape.slice(axis + 1));
  if (axis === 1 || inner !== 1)
    throw new Error(`channelsFirst: expected channels on the last of 3 axes or more`);
  const samples = shape[0]!;
  const positions = product(shape.slice(1, axis));
  const move = (from: Float32Array) => {
    const to = new Float32Array(from.length);
    for (let sample = 0; sample < samples; sample++) {
      for (let at = 0; at < positions; at++) {
        for (let c = 0; c < channels; c++) {
          to[(sample * channels + c) * positions + at] = from[(sample * positions + at) * channels + c]!;
        }
      }
    }
    return to;
  };
  const moved = [samples, channels, ...shape.slice(1, axis)];
  return { ...problem, shape: moved, axis: 1, x: move(problem.x), dy: move(problem.dy) };
}

const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);
