import { halfOf, nearestHalf } from '@rebatch/test-models/graphs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { halfBits, halfValues } from './float16.ts';

test('the value of each half is that of the format', () => {
  const values = halfValues();
  for (let bits = 0; bits < 65536; bits++)
    expect(Object.is(values[bits], halfOf(bits)), String(bits)).toBe(true);
});

test('each finite half has its own bits', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = halfOf(bits);
    if (Number.isFinite(value)) expect(halfBits(value)).toBe(bits);
  }
});

test('what cannot be stored', () => {
  expect([halfBits(65519.99), halfBits(65520), halfBits(-1e9)]).toEqual([0x7bff, 0x7c00, 0xfc00]);
  expect(halfOf(halfBits(Number.NaN))).toBeNaN();
  expect(halfBits(Number.POSITIVE_INFINITY)).toBe(0x7c00);
});

test('any value becomes the nearest half; of two equally near ones, the even one', () => {
  const sizes = fc.oneof(
    fc.double({ min: -65504, max: 65504, noNaN: true }),
    fc.double({ min: -1e-4, max: 1e-4, noNaN: true }),
    // Half way between two halves.
    fc.nat({ max: 0x7bfe }).map((bits) => (halfOf(bits) + halfOf(bits + 1)) / 2),
  );
  fc.assert(
    fc.property(sizes, (value) => {
      expect(halfBits(value) & 0x7fff).toBe(nearestHalf(value) & 0x7fff);
      if (value !== 0) expect(halfBits(value) >> 15).toBe(value < 0 ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});
