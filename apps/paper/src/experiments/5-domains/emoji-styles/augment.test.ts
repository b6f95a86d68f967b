import type { LabeledImages } from '@rebatch/images';
import { expect, test } from 'vitest';
import { augment } from './augment.ts';

/** Images of 3 x 4 pixels in two channels, every value different and none white. */
const images: LabeledImages = {
  size: 2,
  shape: [3, 4, 2],
  images: Uint8Array.from({ length: 48 }, (_, i) => i + 1),
  labels: Uint8Array.from([1, 0]),
  classes: 2,
};

/** The image, moved and mirrored, from the definition: what lies outside is white. */
function moved(image: number, down: number, right: number, mirror: boolean): number[] {
  const value = (y: number, x: number, c: number) => {
    const [fromY, fromX] = [y - down, mirror ? 3 - (x - right) : x - right];
    const outside = fromY < 0 || fromY > 2 || fromX < 0 || fromX > 3;
    return outside ? 255 : images.images[((image * 3 + fromY) * 4 + fromX) * 2 + c]!;
  };
  return [0, 1, 2].flatMap((y) => [0, 1, 2, 3].flatMap((x) => [0, 1].map((c) => value(y, x, c))));
}

test('each image comes as it is, and in copies that are moved and mirrored', () => {
  const { size, images: all, labels } = augment(images, { copies: 40, shift: 1, seed: 1 });
  expect(size).toBe(80);
  expect([...all.subarray(0, 48)]).toEqual([...images.images]);
  expect([...labels]).toEqual(Array.from({ length: 80 }, (_, i) => (i + 1) % 2));
  const seen = new Set<string>();
  for (let k = 2; k < 80; k++) {
    const copy = String([...all.subarray(24 * k, 24 * (k + 1))]);
    const ways = [-1, 0, 1].flatMap((down) =>
      [-1, 0, 1].flatMap((right) => [true, false].map((mirror) => [down, right, mirror] as const)),
    );
    const match = ways.filter((way) => String(moved(k % 2, ...way)) === copy);
    expect(match).toHaveLength(1);
    seen.add(String(match[0]));
  }
  // Of 18 ways, in 78 draws.
  expect(seen.size).toBeGreaterThan(14);
});

test('a seed is an augmentation', () => {
  const options = { copies: 8, shift: 2, seed: 1 };
  expect(augment(images, options)).toEqual(augment(images, options));
  expect(augment(images, { ...options, seed: 2 })).not.toEqual(augment(images, options));
  expect(augment(images, { ...options, copies: 1 })).toEqual(images);
});
