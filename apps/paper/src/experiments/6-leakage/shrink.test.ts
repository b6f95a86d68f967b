import { expect, test } from 'vitest';
import { shrink } from './shrink.ts';

const images = {
  size: 2,
  shape: [2, 4, 1],
  images: Uint8Array.of(0, 4, 100, 100, 8, 12, 100, 101, 255, 255, 0, 0, 255, 255, 0, 1),
  labels: Uint8Array.of(3, 7),
  classes: 10,
} as const;

test('every pixel is the mean of a square, rounded', () => {
  const small = shrink(images, 2);
  expect(small).toMatchObject({ size: 2, shape: [1, 2, 1], labels: images.labels, classes: 10 });
  expect([...small.images]).toEqual([6, 100, 255, 0]);
});

test('squares that do not fill an image are refused', () => {
  expect(() => shrink(images, 4)).toThrow(/multiple of 4 pixels, got 2,4,1/);
  expect(() => shrink({ ...images, shape: [2, 2, 2] }, 2)).toThrow(/gray/);
});
