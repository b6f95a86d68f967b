// The independent reference of the tests: exact rational arithmetic on the bits of the doubles, rounded once at the
// end. Shares nothing with the code under test.
import type { Moments } from './moments.ts';

const SCALE = 1074n; // every finite double is an integer multiple of 2^-1074

function scaled(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return bits >> 63n ? -magnitude : magnitude;
}

/** numerator / denominator, rounded to 64 bits and then to a double. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const length = (n: bigint) => n.toString(16).replace('-', '').length * 4;
  const shift = 68 + length(denominator) - length(numerator);
  const q =
    shift >= 0 ? (numerator << BigInt(shift)) / denominator : numerator / (denominator << BigInt(-shift));
  const half = Math.trunc(shift / 2);
  return Number(q) * 2 ** -half * 2 ** -(shift - half);
}

/** Exact mean and variance of the union of parts with whole counts, of one channel. */
export function exactUnion(parts: readonly { count: number; mean: number; variance: number }[]): {
  count: number;
  mean: number;
  variance: number;
} {
  let count = 0n;
  let sum = 0n;
  let squares = 0n;
  for (const part of parts) {
    const n = BigInt(part.count);
    const mean = scaled(part.mean);
    count += n;
    sum += n * mean;
    squares += n * ((scaled(part.variance) << SCALE) + mean * mean);
  }
  return {
    count: Number(count),
    mean: quotient(sum, count << SCALE),
    variance: quotient(count * squares - sum * sum, (count * count) << (2n * SCALE)),
  };
}

/** Exact moments of plain values. */
export function exactMoments(values: readonly number[]): { count: number; mean: number; variance: number } {
  return exactUnion(values.map((mean) => ({ count: 1, mean, variance: 0 })));
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers from a seed (Box & Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Moments of one channel. */
export function single(count: number, mean: number, variance: number): Moments {
  return { count, mean: Float64Array.of(mean), variance: Float64Array.of(variance) };
}

/**
 * Relative errors against the exact moments: of the mean, in units of the larger of its size and the standard
 * deviation; of the variance; and of the mean in standard deviations.
 */
export function errorsAgainst(exact: { mean: number; variance: number }, actual: Moments) {
  const std = Math.sqrt(exact.variance);
  const off = Math.abs(actual.mean[0]! - exact.mean);
  return {
    mean: off / Math.max(Math.abs(exact.mean), std),
    variance: Math.abs(actual.variance[0]! - exact.variance) / exact.variance,
    meanInStds: off / std,
  };
}
