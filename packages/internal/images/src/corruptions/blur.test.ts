import seedrandom from 'seedrandom';
import { expect, test } from 'vitest';
import { swapNearby } from './blur.ts';
import { type Corruption, severities } from './corruption.ts';
import { digitCorruptions } from './digits.ts';
import { gray, named, never, SIDE } from './images.test.support.ts';

const [defocusBlur, motionBlur, glassBlur] = ['defocus-blur', 'motion-blur', 'glass-blur'].map((name) =>
  named(digitCorruptions, name),
) as [Corruption, Corruption, Corruption];
const flat = (value: number) => gray(() => value);
const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
const point = gray((row, column) => (row === 14 && column === 14 ? 1 : 0));
const centerOf = (image: Float64Array) => {
  let [row, column] = [0, 0];
  image.forEach((value, i) => {
    row += value * Math.floor(i / SIDE);
    column += value * (i % SIDE);
  });
  return { row, column };
};

test.each([defocusBlur, motionBlur, glassBlur])('$name keeps the sum, and flat images', ({ name, apply }) => {
  for (const severity of severities) {
    const random = seedrandom('blur');
    const blurred = apply(point, severity, random).values;
    // Glass may carry the point to the border, whose pixels count for those beyond it.
    if (name !== 'glass-blur') expect(total(blurred)).toBeCloseTo(1, 5);
    expect(Math.min(...blurred)).toBeGreaterThanOrEqual(0);
    for (const value of apply(flat(0.7), severity, random).values) expect(value).toBeCloseTo(0.7, 10);
  }
});

test.each([
  [1, 1],
  [2, 1.5],
  [3, 2],
  [4, 2.5],
  [5, 3],
] as const)('defocus of severity %d spreads a point over a disk of radius %d', (severity, radius) => {
  const blurred = defocusBlur.apply(point, severity, never).values;
  const { row, column } = centerOf(blurred);
  expect([row, column]).toEqual([expect.closeTo(14, 10), expect.closeTo(14, 10)]);
  // The pixel in the middle lies inside: its weight is one over the disk's area.
  expect(Math.abs(blurred[14 * SIDE + 14]! * Math.PI * radius ** 2 - 1)).toBeLessThan(0.02);
  blurred.forEach((value, i) => {
    const distance = Math.hypot(Math.floor(i / SIDE) - 14, (i % SIDE) - 14);
    if (distance > radius + Math.SQRT1_2) expect(value).toBe(0);
    if (distance < radius - Math.SQRT1_2) expect(value).toBeCloseTo(blurred[14 * SIDE + 14]!, 10);
  });
});

test.each([
  [1, 6, 1],
  [2, 6, 1.5],
  [3, 6, 2],
  [4, 9, 2.5],
  [5, 10, 3],
] as const)(
  'motion of severity %d: half a normal density, along its direction',
  (severity, length, deviation) => {
    const corner = gray((row, column) => (row === 24 && column === 24 ? 1 : 0));
    // 0.5 of [0, 1) is the middle of the angles: horizontal.
    const blurred = motionBlur.apply(corner, severity, () => 0.5).values;
    const row = [...blurred.slice(24 * SIDE, 25 * SIDE)];
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
    // A pixel takes from those to its right, so the point spreads to the left.
    for (let i = 1; i <= 2 * length; i++) {
      expect(row[24 - i]! / row[24]!).toBeCloseTo(Math.exp(-((i / deviation) ** 2) / 2), 10);
    }
    expect(Math.max(...row.slice(25), ...row.slice(0, 24 - 2 * length))).toBe(0);
    // At 45 degrees, the column falls with the row.
    const steep = centerOf(motionBlur.apply(corner, severity, () => 1 - 1e-12).values);
    expect(24 - steep.row).toBeGreaterThan(0.3);
    expect(steep.row).toBeCloseTo(steep.column, 10);
  },
);

test('glass swaps pixels with their neighbours, and loses none', () => {
  const image = gray((row, column) => row * SIDE + column);
  const shuffled = { ...image, values: image.values.slice() };
  swapNearby(shuffled, 2, seedrandom('glass'));
  expect(shuffled).not.toEqual(image);
  expect([...shuffled.values].sort((a, b) => a - b)).toEqual([...image.values]);
  const still = { ...image, values: image.values.slice() };
  swapNearby(still, 2, () => 0.5);
  expect(still).toEqual(image);
});
