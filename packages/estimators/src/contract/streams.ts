// The batches that estimators are tried on: easy ones, and those that break naive formulas.
import type { Moments } from '@rebatch/stats';
import fc from 'fast-check';

/** Options of {@link streams}. */
export interface StreamOptions {
  channels?: number;
  minLength?: number;
}

/**
 * Streams of valid batches of the same channels, with at least two values per channel each. Means sit up to 1e8
 * standard deviations from 0; some channels are constant; counts differ.
 */
export function streams({ channels, minLength = 1 }: StreamOptions = {}): fc.Arbitrary<Moments[]> {
  const width = channels === undefined ? fc.integer({ min: 1, max: 4 }) : fc.constant(channels);
  return fc
    .tuple(width, fc.constantFrom(0, 0, 1, 1e4, 1e8), fc.boolean())
    .chain(([size, offset, constant]) =>
      fc.array(batches(size, offset, constant), { minLength, maxLength: 12 }),
    );
}

function batches(channels: number, offset: number, constant: boolean): fc.Arbitrary<Moments> {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const size = { minLength: channels, maxLength: channels };
  return fc
    .tuple(
      fc.oneof(fc.integer({ min: 2, max: 64 }), fc.integer({ min: 2, max: 1_000_000 })),
      fc.array(number(-3, 3), size),
      fc.array(number(0, 4), size),
    )
    .map(([count, means, variances]) => ({
      count,
      mean: Float64Array.from(means, (m, c) => offset + (constant && c === 0 ? 0 : m)),
      variance: Float64Array.from(variances, (v, c) => (constant && c === 0 ? 0 : v)),
    }));
}

/** Batches that no estimator may accept after batches of `channels` channels, by what is wrong with them. */
export function badBatches(channels: number): Map<string, Moments> {
  const good = (size = channels) => ({
    count: 8,
    mean: new Float64Array(size).fill(0.5),
    variance: new Float64Array(size).fill(2),
  });
  return new Map<string, Moments>([
    ['a NaN mean', { ...good(), mean: good().mean.fill(Number.NaN, channels - 1) }],
    ['an infinite mean', { ...good(), mean: good().mean.fill(Infinity, channels - 1) }],
    ['a NaN variance', { ...good(), variance: good().variance.fill(Number.NaN, channels - 1) }],
    ['an infinite variance', { ...good(), variance: good().variance.fill(Infinity, channels - 1) }],
    ['a negative variance', { ...good(), variance: good().variance.fill(-1, channels - 1) }],
    ['a negative count', { ...good(), count: -1 }],
    ['a NaN count', { ...good(), count: Number.NaN }],
    ['an infinite count', { ...good(), count: Infinity }],
    ['a count of 0', { ...good(), count: 0 }],
    ['fewer variances than means', { ...good(channels + 1), variance: good().variance }],
    ['no channels', good(0)],
    ['more channels than before', good(channels + 1)],
  ]);
}
