import { describe, expect, test } from 'vitest';
import { MomentsError, RebatchError } from './errors.ts';
import { errorsAgainst, exactMoments, normal, single } from './exact.test.support.ts';
import { mergeAllMoments } from './merge-all-moments.ts';
import { mergeMoments } from './merge-moments.ts';
import { momentsOf } from './moments-of.ts';

describe('momentsOf', () => {
  test('reads rows of channels', () => {
    const expected = { count: 3, mean: Float64Array.of(2, 20), variance: Float64Array.of(2 / 3, 200 / 3) };
    const { count, mean, variance } = momentsOf([1, 10, 2, 20, 3, 30], { channels: 2 });
    expect({ count, mean }).toEqual({ count: 3, mean: expected.mean });
    expect(variance[0]).toBeCloseTo(2 / 3, 14);
    expect(variance[1]).toBeCloseTo(200 / 3, 13);
  });

  test('takes any array-like of numbers', () => {
    expect(momentsOf(Float32Array.of(1, 3))).toEqual(single(2, 2, 1));
    expect(momentsOf({ length: 2, 0: 1, 1: 3 })).toEqual(single(2, 2, 1));
  });

  test.each([0, 1e4, 1e8])('is exact to rounding at mean / std = %d', (offset) => {
    const draw = normal(11);
    const values = Array.from({ length: 3000 }, () => offset + draw());
    const errors = errorsAgainst(exactMoments(values), momentsOf(values));
    expect(errors.variance).toBeLessThanOrEqual(1e-13);
    expect(errors.meanInStds).toBeLessThanOrEqual(Math.max(1e-13, 1.2e-16 * offset));
  });

  test('does not lose small values behind a large first one', () => {
    const values = [1e16, ...Array.from({ length: 999 }, (_, i) => i % 7)];
    const errors = errorsAgainst(exactMoments(values), momentsOf(values));
    expect(errors.mean).toBeLessThanOrEqual(1e-15);
    expect(errors.variance).toBeLessThanOrEqual(1e-13);
  });

  test('gives the empty moments for no values', () => {
    expect(momentsOf([], { channels: 2 })).toEqual({
      count: 0,
      mean: new Float64Array(2),
      variance: new Float64Array(2),
    });
  });

  test('says where a value is not finite', () => {
    expect(() => momentsOf([1, 2, 3, Number.NaN], { channels: 2 })).toThrow(/row 1, channel 1 is NaN/);
    expect(() => momentsOf([Infinity])).toThrow(MomentsError);
    expect(() => momentsOf([undefined as unknown as number])).toThrow(/undefined/);
  });

  test('refuses values that are no whole number of rows', () => {
    expect(() => momentsOf([1, 2, 3], { channels: 2 })).toThrow(/3 values .* rows of 2 channels/);
    for (const channels of [0, -1, 1.5, Number.NaN])
      expect(() => momentsOf([1], { channels })).toThrow(MomentsError);
  });
});

describe('bad moments are refused', () => {
  const good = single(2, 1, 3);
  const bad: [string, unknown, RegExp][] = [
    ['count is negative', single(-1, 0, 0), /count must be .* got -1/],
    ['count is NaN', single(Number.NaN, 0, 0), /count must be .* got NaN/],
    ['count is infinite', single(Infinity, 0, 0), /got Infinity/],
    ['mean is NaN', single(1, Number.NaN, 0), /mean of channel 0 is NaN/],
    ['variance is negative', single(1, 0, -1), /variance of channel 0 is -1/],
    ['variance is infinite', single(1, 0, Infinity), /variance of channel 0 is Infinity/],
    ['lengths differ', { ...good, variance: new Float64Array(2) }, /1 means and 2 variances/],
    [
      'there are no channels',
      { count: 1, mean: new Float64Array(0), variance: new Float64Array(0) },
      /at least one/,
    ],
    [
      'arrays are of float32',
      { ...good, mean: new Float32Array(1) },
      /got mean: a Float32Array of \d+ values/,
    ],
    ['there is nothing', undefined, /got mean: undefined/],
  ];
  test.each(bad)('when the %s', (_, moments, message) => {
    expect(() => mergeMoments(good, moments as never)).toThrow(message);
    expect(() => mergeMoments(moments as never, good)).toThrow(message);
    expect(() => mergeAllMoments([good, moments as never])).toThrow(/part 1/);
  });

  test('when the channels differ, with both counts', () => {
    const wide = momentsOf([1, 2, 3], { channels: 3 });
    expect(() => mergeMoments(good, wide)).toThrow(/1 against 3/);
    expect(() => mergeAllMoments([good, good, wide])).toThrow(/part 2: the channels differ, 1 against 3/);
  });

  test('when there is nothing to merge', () => {
    expect(() => mergeAllMoments([])).toThrow(/emptyMoments/);
  });

  test('with errors that carry their class name', () => {
    const error = new MomentsError('x', { cause: 1 });
    expect(error).toBeInstanceOf(RebatchError);
    expect([error.name, error.cause]).toEqual(['MomentsError', 1]);
  });
});
