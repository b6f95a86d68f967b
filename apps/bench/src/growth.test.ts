import { describe, expect, it, test } from 'vitest';
import { worstOf } from './benches/scaling/scaling-row.ts';
import { exponentOf, growsWithWork } from './growth.ts';

describe('exponentOf', () => {
  it.each([0, 0.5, 1, 2])('finds the power %d, whatever the factor', (power) => {
    const sizes = [4, 32, 64, 1000];
    expect(
      exponentOf(
        sizes,
        sizes.map((size) => 7 * size ** power),
      ),
    ).toBeCloseTo(power, 10);
  });

  it('takes the line between times that lie beside it', () => {
    // In logarithms to base 2: (0, 0), (1, 3), (2, 2), whose slope is 1.
    expect(exponentOf([1, 2, 4], [1, 8, 4])).toBeCloseTo(1, 10);
  });

  it('needs two sizes, and a time for each', () => {
    expect(() => exponentOf([3, 3], [1, 2])).toThrow(RangeError);
    expect(() => exponentOf([1, 2], [1])).toThrow(RangeError);
  });
});

test('a time may grow as the work or as the peer does, with some room for caches', () => {
  expect(growsWithWork({ exponent: 1.14, peerExponent: 0.9 })).toBe(true);
  expect(growsWithWork({ exponent: 1.16, peerExponent: 0.9 })).toBe(false);
  expect(growsWithWork({ exponent: 1.3, peerExponent: 1.2 })).toBe(true);
});

test('a row is that of its worst size, and its growth is over all of them', () => {
  const at = (oursMs: number, peerMs: number) => ({
    ...{ oursMs, peerMs },
    ratio: peerMs / oursMs,
    spread: [1, 1] as const,
  });
  expect(worstOf([1, 2, 4], [at(1, 4), at(2, 4), at(4, 12)])).toMatchObject({
    ...{ oursMs: 2, peerMs: 4, ratio: 2 },
    growth: { exponent: expect.closeTo(1, 10), peerExponent: expect.closeTo(Math.log2(3) / 2, 10) },
  });
});
