import type { LabeledImages } from '@rebatch/images';
import { expect, test } from 'vitest';
import { throughKeyholes } from './keyholes.ts';
import { KEYHOLE } from './settings.ts';

const digits: LabeledImages = {
  size: 200,
  shape: [28, 28, 1],
  images: new Uint8Array(200 * 784).fill(9),
  labels: new Uint8Array(200),
  classes: 10,
};

test('of each digit one square is seen, wherever it is', () => {
  const { images, labels } = throughKeyholes(digits, 5);
  expect(labels).toBe(digits.labels);
  const corners = new Set<number>();
  for (let n = 0; n < digits.size; n++) {
    const seen = [...images.subarray(n * 784, (n + 1) * 784).entries()].flatMap(([at, value]) =>
      value ? [at] : [],
    );
    const corner = seen[0] as number;
    corners.add(corner);
    const square = Array.from(
      { length: KEYHOLE * KEYHOLE },
      (_, i) => corner + 28 * Math.floor(i / KEYHOLE) + (i % KEYHOLE),
    );
    expect(seen).toEqual(square);
  }
  // Of all places that there are.
  const along = (28 - KEYHOLE) / 2 + 1;
  expect(corners.size).toBeGreaterThan(0.8 * along * along);
  expect(Math.max(...corners)).toBe((28 - KEYHOLE) * 29);
  expect(digits.images.every((value) => value === 9)).toBe(true);
});

test('the same seed shows the same, another one something else', () => {
  const same = (seed: number) =>
    Buffer.compare(throughKeyholes(digits, 5).images, throughKeyholes(digits, seed).images) === 0;
  expect(same(5)).toBe(true);
  expect(same(6)).toBe(false);
});
