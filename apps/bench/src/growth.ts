// How a time grows with the work: as which power of it.

/** The exponents of both sides of a comparison. */
export interface Growth {
  readonly exponent: number;
  readonly peerExponent: number;
}

/** How much steeper than the work, or than the peer, a time may seem to grow: caches that are left behind, and noise. */
const TOLERANCE = 0.15;

/**
 * The k of times that grow as size^k: the slope of the least-squares line through their logarithms.
 *
 * @throws RangeError unless there are as many times as sizes, of which two differ.
 */
export function exponentOf(sizes: readonly number[], times: readonly number[]): number {
  if (sizes.length !== times.length || new Set(sizes).size < 2) {
    throw new RangeError('exponentOf: expected a time for each of two sizes or more');
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [xs, ys] = [sizes.map(Math.log), times.map(Math.log)];
  const [atX, atY] = [mean(xs), mean(ys)];
  const along = xs.map((x, i) => (x - atX) * (ys[i]! - atY));
  return mean(along) / mean(xs.map((x) => (x - atX) ** 2));
}

/** Whether a time grows no steeper than the work, or no steeper than that of the peer. */
export function growsWithWork({ exponent, peerExponent }: Growth): boolean {
  return exponent <= Math.max(1, peerExponent) + TOLERANCE;
}
