import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MomentsError } from './errors.ts';
import { momentsFromJSON } from './moments-from-json.ts';
import { momentsToJSON } from './moments-to-json.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

test('moments survive the round trip through JSON text bit for bit', () => {
  const channels = fc.array(fc.tuple(finite, finite.map(Math.abs)), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(channels, fc.double({ min: 0, max: 1e300, noNaN: true }), (rows, count) => {
      const moments = {
        count,
        mean: Float64Array.from(rows, ([m]) => m),
        variance: Float64Array.from(rows, ([, v]) => v),
      };
      expect(momentsFromJSON(JSON.parse(JSON.stringify(momentsToJSON(moments))))).toEqual(moments);
    }),
  );
});

test('the text is little-endian float64, about 11 characters per number', () => {
  const mean = Float64Array.of(1, -2.5);
  const json = momentsToJSON({ count: 3, mean, variance: new Float64Array(2) });
  expect(json).toEqual({
    version: 1,
    count: 3,
    mean: Buffer.from(Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0x04, 0xc0)).toString(
      'base64',
    ),
    variance: 'AAAAAAAAAAAAAAAAAAAAAA==',
  });
});

describe('corrupted JSON is refused', () => {
  const good = momentsToJSON({ count: 3, mean: Float64Array.of(1, 2), variance: Float64Array.of(3, 4) });
  const infinite = Buffer.from(Float64Array.of(Infinity, 0).buffer).toString('base64');
  const negative = Buffer.from(Float64Array.of(0, -1).buffer).toString('base64');
  const cases: [string, unknown, RegExp][] = [
    ['null', null, /expected an object .* got null/],
    ['a list', [], /expected an object/],
    ['text', JSON.stringify(good), /expected an object/],
    ['a newer version', { ...good, version: 2 }, /expected version 1, got 2/],
    ['no version', { ...good, version: undefined }, /expected version 1, got undefined/],
    ['a count of text', { ...good, count: '3' }, /count must be a number, got "3"/],
    ['a negative count', { ...good, count: -3 }, /count must be a finite number >= 0/],
    ['a missing field', { ...good, mean: undefined }, /mean must be base64 text, got undefined/],
    [
      'no base64',
      { ...good, mean: '?'.repeat(200) },
      /mean must be base64 text, got "\?{40}\.\.\." \(200 characters\)/,
    ],
    ['text cut short', { ...good, variance: good.variance.slice(0, 8) }, /variance holds 6 bytes/],
    ['text cut within base64', { ...good, variance: good.variance.slice(0, 7) }, /variance must be base64/],
    ['differing lengths', { ...good, variance: good.variance.slice(0, 10).padEnd(12, 'A=') }, /variance/],
    ['no channels', { ...good, mean: '', variance: '' }, /at least one/],
    ['an infinite mean', { ...good, mean: infinite }, /mean of channel 0 is Infinity/],
    ['a negative variance', { ...good, variance: negative }, /variance of channel 1 is -1/],
  ];
  test.each(cases)('%s', (_, json, message) => {
    expect(() => momentsFromJSON(json)).toThrow(MomentsError);
    expect(() => momentsFromJSON(json)).toThrow(message);
  });

  test('and invalid moments are not written', () => {
    const bad = { count: 1, mean: Float64Array.of(Number.NaN), variance: Float64Array.of(0) };
    expect(() => momentsToJSON(bad)).toThrow(MomentsError);
  });
});
