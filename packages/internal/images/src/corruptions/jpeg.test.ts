import { expect, test } from 'vitest';
import { digitCorruptions } from './digits.ts';
import { gray, named, never, SIDE } from './images.test.support.ts';

const jpeg = named(digitCorruptions, 'jpeg');

test.each([
  [1, 25],
  [2, 18],
  [3, 15],
  [4, 10],
  [5, 7],
] as const)('jpeg of severity %d rounds frequencies as quality %d says', (severity, quality) => {
  const scale = 5000 / quality;
  const step = (entry: number) => Math.min(255, Math.floor((entry * scale + 50) / 100));
  const check = (
    amplitude: number,
    entry: number,
    wave: (row: number, column: number) => number,
    norm: number,
  ) => {
    const image = gray((row, column) => (128 + Math.round(amplitude * wave(row, column))) / 255);
    const decoded = jpeg.apply(image, severity, never).values;
    // The transform of norm * wave is 1 at its frequency: the coefficient is amplitude / norm.
    const coefficient = amplitude / norm;
    const kept = Math.round(coefficient / step(entry)) * step(entry) * norm;
    decoded.forEach((value, i) => {
      const expected = (128 + kept * wave(Math.floor(i / SIDE) % 8, (i % SIDE) % 8)) / 255;
      // Only whole blocks: those at the border are completed by other values.
      if (Math.floor(i / SIDE) < 24 && i % SIDE < 24) expect(value).toBeCloseTo(expected, 6);
    });
  };
  // Flat images have one frequency, (0, 0), whose norm is 1 / 8.
  for (const amplitude of [-128, -77, -3, 40, 127]) check(amplitude, 16, () => 1, 1 / 8);
  // cos((2x + 1) 4 pi / 16) alternates like this, times the root of one half: frequency 4 along the columns alone.
  const wave = (_: number, column: number) => [1, -1, -1, 1][column % 4]!;
  check(90, 24, wave, Math.SQRT1_2 * Math.sqrt(1 / 8) * Math.sqrt(2 / 8));
});
