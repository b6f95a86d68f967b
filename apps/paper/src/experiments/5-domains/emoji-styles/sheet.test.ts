import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { paintSheet, type Rgba } from '../../../testing/emoji-package.ts';
import { cutSheet } from './sheet.ts';

/** Every pixel of every cell is different. */
const paint = (column: number, row: number, x: number, y: number): Rgba => [
  4 * x,
  4 * y,
  64 * (2 * row + column),
  255,
];
const sheet = paintSheet(2, 3, paint);

test('at full size the pixels of each cell come out as they are on the sheet', () => {
  const cells = [
    { column: 1, row: 2 },
    { column: 0, row: 1 },
  ];
  const pictures = cutSheet(sheet, cells, 64);
  expect(pictures).toHaveLength(2 * 64 * 64 * 3);
  cells.forEach(({ column, row }, i) => {
    const wrong: number[][] = [];
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) {
        const at = 3 * ((i * 64 + y) * 64 + x);
        const expected = paint(column, row, x, y)
          .slice(0, 3)
          .map((v) => v % 256);
        if (String([...pictures.subarray(at, at + 3)]) !== String(expected)) wrong.push([x, y]);
      }
    }
    expect(wrong).toEqual([]);
  });
});

test('transparency lies over white', () => {
  const half = paintSheet(1, 1, (_column, _row, x) => (x < 32 ? [200, 0, 100, 51] : [9, 9, 9, 0]));
  const picture = cutSheet(half, [{ column: 0, row: 0 }], 2);
  // 0.2 of the color and 0.8 of white; and white alone, whatever the hidden color.
  expect([...picture.subarray(0, 6)]).toEqual([244, 204, 224, 255, 255, 255]);
});

test.each([1, 5, 16, 24, 32, 63])('a pixel at size %i is the mean of its area', (size) => {
  const picture = cutSheet(sheet, [{ column: 0, row: 0 }], size);
  // The reference: the picture as a step function on [0, 64), integrated at 63 * 64 points per pixel side.
  const scale = 64 / size;
  const points = 4032;
  const meanOver = (i: number) => {
    let sum = 0;
    for (let k = 0; k < points; k++) sum += 4 * Math.floor((i + (k + 0.5) / points) * scale);
    return sum / points;
  };
  const means = Array.from({ length: size }, (_, i) => meanOver(i));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = 3 * (y * size + x);
      expect(Math.abs(picture[at]! - means[x]!)).toBeLessThan(0.51);
      expect(Math.abs(picture[at + 1]! - means[y]!)).toBeLessThan(0.51);
      expect(picture[at + 2]).toBe(0);
    }
  }
});

test('sheets that cannot be used are refused', () => {
  const first = [{ column: 0, row: 0 }];
  expect(() => cutSheet(sheet.subarray(0, sheet.length / 2), first, 8)).toThrow(/sheet cannot be read/);
  const damaged = Buffer.from(sheet);
  damaged[(damaged.length / 2) | 0]! ^= 0xff;
  expect(() => cutSheet(damaged, first, 8)).toThrow(/sheet cannot be read/);
  expect(() => cutSheet(Buffer.from('no PNG'), first, 8)).toThrow(/sheet cannot be read/);
  expect(() => cutSheet(sheet, [{ column: 2, row: 0 }], 8)).toThrow(
    /no cell in column 2, row 0 of a 132x198 sheet/,
  );
  expect(() => cutSheet(sheet, [{ column: 0, row: 3 }], 8)).toThrow(/no cell/);
  const narrow = PNG.sync.write(new PNG({ width: 65, height: 66 }));
  expect(() => cutSheet(narrow, first, 8)).toThrow(/no cell/);
  for (const size of [0, 65, 1.5]) expect(() => cutSheet(sheet, first, size)).toThrow(/size of 1 to 64/);
});
