import seedrandom from 'seedrandom';
import { expect, test } from 'vitest';
import { severities } from './corruption.ts';
import { digitCorruptions } from './digits.ts';
import { plasma } from './fog.ts';
import { gray, named, SIDE } from './images.test.support.ts';

const fog = named(digitCorruptions, 'fog');

test('the cloud fills its range, tiles, and is rougher for a smaller decay', () => {
  const roughness = (decay: number) => {
    const map = plasma(32, decay, seedrandom('plasma'));
    expect([Math.min(...map), Math.max(...map)]).toEqual([0, 1]);
    let [inside, across] = [0, 0];
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 31; column++) {
        inside += (map[row * 32 + column]! - map[row * 32 + column + 1]!) ** 2 / (32 * 31);
      }
      across += (map[row * 32]! - map[row * 32 + 31]!) ** 2 / 32;
    }
    // The step from the last column to the first is as any other.
    expect(across / inside).toBeLessThan(3);
    return inside;
  };
  const [rough, middle, smooth] = [1.4, 2, 3].map(roughness);
  expect(rough).toBeGreaterThan(middle!);
  expect(middle).toBeGreaterThan(smooth!);
});

test('without noise the middles are plain means', () => {
  // Draws of one half add nothing, but a map without any height has no range: raise the first.
  let first = true;
  const random = () => {
    const value = first ? 0.9 : 0.5;
    first = false;
    return value;
  };
  const map = plasma(4, 2, random);
  // The corner is 0; the middle of the torus 0.8; the sides' middles (0 + 0 + 0.8 + 0.8) / 4; scaled by 0.8.
  expect(map[0]).toBe(0);
  expect(map[2 * 4 + 2]).toBe(1);
  expect(map[2]).toBeCloseTo(0.5, 12);
  expect(map[2 * 4]).toBeCloseTo(0.5, 12);
  // The middle of (0, 0), (0, 2), (2, 0) and (2, 2).
  expect(map[1 * 4 + 1]).toBeCloseTo(0.5, 12);
});

test('the brightest pixel stays the limit, and thick fog flattens the digit', () => {
  const digit = gray((row, column) => (row > 8 && row < 20 && column === 14 ? 0.8 : 0));
  const thickness = [1.5, 2, 2.5, 2.5, 3];
  severities.forEach((severity, i) => {
    const foggy = fog.apply(digit, severity, seedrandom('fog')).values;
    const blank = fog.apply(
      gray(() => 0.8),
      severity,
      seedrandom('fog'),
    ).values;
    expect(Math.max(...foggy)).toBeLessThanOrEqual(0.8);
    // Where the digit is, it adds its value times max / (max + thickness).
    const cloudless = 0.8 * (0.8 / (0.8 + thickness[i]!));
    const at = 12 * SIDE;
    expect(blank[at]! - foggy[at]!).toBeCloseTo(cloudless, 10);
    expect(blank[at + 14]).toBeCloseTo(foggy[at + 14]!, 10);
  });
});
