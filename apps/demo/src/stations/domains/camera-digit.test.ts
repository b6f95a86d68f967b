import { expect, test } from 'vitest';
import { cameraDigit } from './camera-digit.ts';

const SIZE = 112;

function picture(color: (x: number, y: number) => readonly [number, number, number]): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(4 * SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) rgba.set([...color(x, y), 255], 4 * (y * SIZE + x));
  }
  return rgba;
}

const stroke = (x: number, y: number) => x >= 52 && x < 60 && y >= 20 && y < 92;

test('dark on light becomes light on dark, and light on dark stays so', () => {
  const onPaper = cameraDigit(
    picture((x, y) => (stroke(x, y) ? [30, 30, 30] : [200, 200, 200])),
    SIZE,
  );
  expect([onPaper[0], onPaper[14 * 28 + 13]]).toEqual([55, 225]);
  const onBoard = cameraDigit(
    picture((x, y) => (stroke(x, y) ? [200, 200, 200] : [30, 30, 30])),
    SIZE,
  );
  expect([onBoard[0], onBoard[14 * 28 + 13]]).toEqual([30, 200]);
});

test('a pixel is the mean brightness of its area, by how bright colours look', () => {
  const halves = cameraDigit(
    picture((x) => (x % 4 < 2 ? [255, 255, 255] : [0, 0, 0])),
    SIZE,
  );
  expect(new Set(halves)).toEqual(new Set([128]));
  const green = cameraDigit(
    picture(() => [0, 200, 0]),
    SIZE,
  );
  expect(green[0]).toBe(117);
});

test('a size that cannot be cut into 28 is refused', () => {
  expect(() => cameraDigit(new Uint8Array(400), 10)).toThrow('multiple of 28');
});
