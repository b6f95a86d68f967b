import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { augmentedBatch } from './augmented-batch.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Two images of 3 x 3 pixels in one channel: 0, 10, ..., 80, and 100 more. */
const images = {
  size: 2,
  shape: [3, 3, 1],
  images: Uint8Array.from({ length: 18 }, (_, i) => 10 * (i % 9) + (i > 8 ? 100 : 0)),
  labels: new Uint8Array(2),
  classes: 1,
} as const;

/** In the values of a byte; -1 for gray. */
function batch(indices: number[], draws: readonly number[], mirror = true): number[][] {
  let at = 0;
  const tensor = augmentedBatch(images, indices, { shift: 1, mirror }, () => draws[at++]!);
  expect(at).toBe(3 * indices.length);
  const values = tensor.dataSync();
  tensor.dispose();
  return indices.map((_, i) =>
    Array.from(values.slice(9 * i, 9 * i + 9), (value) =>
      Math.abs(value - 0.475) < 1e-6 ? -1 : Math.round(255 * value),
    ),
  );
}

const MIDDLE = 0.5;

test('images are moved down and right, and what moves in is gray', () => {
  // Draws: down, right, mirrored.
  const [still, moved] = batch([1, 0], [MIDDLE, MIDDLE, 0.9, 0.9, 0.1, 0.9]);
  expect(still).toEqual([100, 110, 120, 130, 140, 150, 160, 170, 180]);
  // One down, one to the left.
  expect(moved).toEqual([-1, -1, -1, 10, 20, -1, 40, 50, -1]);
});

test('half of them are mirrored, where that is asked for', () => {
  expect(batch([0], [MIDDLE, MIDDLE, 0.1])).toEqual([[20, 10, 0, 50, 40, 30, 80, 70, 60]]);
  expect(batch([0], [MIDDLE, MIDDLE, 0.1], false)).toEqual([[0, 10, 20, 30, 40, 50, 60, 70, 80]]);
});
