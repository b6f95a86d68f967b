// What holds for every corruption.

import type { LabeledImages } from '@rebatch/images';
import { corrupt, digitCorruptions as corruptions, severities } from '@rebatch/images';
import { describe, expect, test } from 'vitest';
import { firstDigits, loadDigits } from './mnist.ts';

const digits = firstDigits(await loadDigits('t10k'), 40);
const pixels = 28 * 28;
const imageAt = ({ images }: LabeledImages, index: number) =>
  images.slice(index * pixels, (index + 1) * pixels);

/** The root mean square of the change, in gray values. */
function distortion({ images }: LabeledImages): number {
  let sum = 0;
  images.forEach((value, i) => {
    sum += (value - digits.images[i]!) ** 2;
  });
  return Math.sqrt(sum / images.length);
}

test('there are as many as promised, with names of their own', () => {
  expect(corruptions.length).toBeGreaterThanOrEqual(8);
  expect(new Set(corruptions.map(({ name }) => name)).size).toBe(corruptions.length);
});

describe.each(corruptions.map((c) => [c.name, c] as const))('%s', (name, corruption) => {
  test('the same seed gives the same bytes, and leaves the digits as they are', () => {
    const before = digits.images.slice();
    const [first, second] = [1, 2].map(() => corrupt(digits, corruption, 3, 7));
    expect(first).toEqual(second);
    expect(first!.images).not.toBe(digits.images);
    expect(digits.images).toEqual(before);
    expect(first!.labels).toEqual(digits.labels);
    expect(first!.size).toBe(40);
  });

  test('each severity distorts more than the one before', () => {
    const distortions = severities.map((severity) => distortion(corrupt(digits, corruption, severity, 7)));
    expect(distortions[0]).toBeGreaterThan(1);
    for (let i = 1; i < distortions.length; i++) {
      expect(distortions[i], `severity ${i + 1}`).toBeGreaterThan(distortions[i - 1]!);
    }
  });

  test('values are clipped to the range of a byte, not wrapped', () => {
    const gray = Float64Array.from(imageAt(digits, 0), (value) => value / 255);
    const image = { height: 28, width: 28, channels: 1, values: gray };
    const draw = () => 0.25;
    const corrupted = corruption.apply(image, 5, draw);
    const { values } = corrupted;
    const fixed = { ...corruption, apply: () => corrupted };
    const bytes = imageAt(corrupt(digits, fixed, 5, 1), 0);
    values.forEach((value, i) => {
      expect(Math.abs(bytes[i]! - 255 * Math.min(1, Math.max(0, value)))).toBeLessThanOrEqual(0.5 + 1e-9);
    });
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test('a digit’s noise depends on its index and the seed alone', () => {
    // One image many times: whatever differs is noise.
    const same = { ...digits, size: 3, images: new Uint8Array(3 * pixels), labels: new Uint8Array(3) };
    for (let i = 0; i < 3; i++) same.images.set(imageAt(digits, 0), i * pixels);
    const all = corrupt(same, corruption, 3, 7);
    const random = !['defocus-blur', 'brightness', 'contrast', 'pixelate', 'jpeg', 'stripe'].includes(name);
    const other = corrupt(same, corruption, 3, 8);
    if (random) {
      expect(imageAt(all, 1)).not.toEqual(imageAt(all, 0));
      expect(imageAt(other, 0)).not.toEqual(imageAt(all, 0));
    } else {
      expect(imageAt(all, 1)).toEqual(imageAt(all, 0));
      expect(other).toEqual(all);
    }
    expect(imageAt(corrupt({ ...same, size: 2 }, corruption, 3, 7), 1)).toEqual(imageAt(all, 1));
  });
});
