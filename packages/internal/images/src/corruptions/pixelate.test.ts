import seedrandom from 'seedrandom';
import { expect, test } from 'vitest';
import { digitCorruptions } from './digits.ts';
import { gray, named, never, SIDE } from './images.test.support.ts';

const pixelate = named(digitCorruptions, 'pixelate');
const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

test.each([
  [1, 16],
  [2, 14],
  [3, 11],
  [4, 8],
  [5, 7],
] as const)('pixelate of severity %d leaves %d pixels a side, and means', (severity, side) => {
  const ramp = gray((_, column) => column);
  const columns = [...pixelate.apply(ramp, severity, never).values.slice(0, SIDE)];
  expect(new Set(columns.map((value) => value.toFixed(9))).size).toBe(side);
  // Each is the mean of a ramp over its area, so its middle (a pixel's value belongs to its middle).
  columns.forEach((value, column) => {
    const block = Math.floor(((column + 0.5) * side) / SIDE);
    const [start, end] = [(block * SIDE) / side, ((block + 1) * SIDE) / side];
    // The ramp is constant over each pixel: integrate it as steps.
    let sum = 0;
    for (let x = 0; x < 1000; x++) sum += Math.floor(start + ((x + 0.5) / 1000) * (end - start)) / 1000;
    expect(value).toBeCloseTo(sum, 1.9);
  });
});

test('pixelate keeps the sum where pixels divide evenly', () => {
  const random = seedrandom('pixelate');
  const image = gray(() => random());
  for (const severity of [2, 5] as const) {
    expect(total(pixelate.apply(image, severity, never).values)).toBeCloseTo(total(image.values), 9);
  }
});
