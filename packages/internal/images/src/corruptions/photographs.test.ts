// The corruptions of photographs against the published parameters of CIFAR-10-C, which stand here once more, and against
// plain computations of what they mean: which there are, noise, and what holds for each.

import seedrandom from 'seedrandom';
import { describe, expect, test } from 'vitest';
import type { LabeledImages } from '../labeled-images.ts';
import { corrupt } from './corrupt.ts';
import { photograph } from './images.test.support.ts';
import { all, bySeverity, momentsOf, outcomes, smooth } from './photographs.test.support.ts';
import { extraCorruptions, photographCorruptions } from './photographs.ts';

test('there are the fifteen, and three more', () => {
  expect(photographCorruptions.map(({ name }) => name)).toEqual([
    ...['gaussian-noise', 'shot-noise', 'impulse-noise'],
    ...['defocus-blur', 'glass-blur', 'motion-blur', 'zoom-blur'],
    ...['snow', 'frost', 'fog', 'brightness'],
    ...['contrast', 'elastic', 'pixelate', 'jpeg'],
  ]);
  expect(extraCorruptions.map(({ name }) => name)).toEqual(['speckle-noise', 'gaussian-blur', 'saturate']);
});

describe('noise', () => {
  test.each(bySeverity([0.04, 0.06, 0.08, 0.09, 0.1]))('gaussian, severity %d: %d', (severity, expected) => {
    const { mean, deviation } = momentsOf(outcomes('gaussian-noise', 0.5, severity));
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02 * expected);
    expect(Math.abs(deviation / expected - 1)).toBeLessThan(0.02);
  });

  test.each(bySeverity([500, 250, 100, 75, 50]))('shot, severity %d: %d photons', (severity, photons) => {
    const values = outcomes('shot-noise', 0.5, severity);
    const { mean, deviation } = momentsOf(values);
    expect(Math.abs(mean / 0.5 - 1)).toBeLessThan(0.01);
    expect(Math.abs((deviation ** 2 * photons) / 0.5 - 1)).toBeLessThan(0.03);
    expect(values.every((value) => Math.abs(value * photons - Math.round(value * photons)) < 1e-9)).toBe(
      true,
    );
    // The third moment of a Poisson count is its mean.
    const third = values.reduce((sum, v) => sum + ((v - mean) * photons) ** 3, 0) / values.length;
    expect(Math.abs(third / (0.5 * photons) - 1)).toBeLessThan(0.6);
  });

  test.each(bySeverity([0.01, 0.02, 0.03, 0.05, 0.07]))('impulse, severity %d: %d', (severity, share) => {
    const values = outcomes('impulse-noise', 0.5, severity);
    const count = (value: number) => values.filter((v) => v === value).length / values.length;
    expect(Math.abs(count(0) - share / 2)).toBeLessThan(0.002);
    expect(Math.abs(count(1) - share / 2)).toBeLessThan(0.002);
    expect(count(0) + count(1) + count(0.5)).toBeCloseTo(1, 12);
  });

  test.each(bySeverity([0.06, 0.1, 0.12, 0.16, 0.2]))('speckle, severity %d: %d', (severity, expected) => {
    for (const value of [0.2, 0.8]) {
      const { mean, deviation } = momentsOf(outcomes('speckle-noise', value, severity));
      expect(Math.abs(mean / value - 1)).toBeLessThan(0.01);
      expect(Math.abs(deviation / (value * expected) - 1)).toBeLessThan(0.02);
    }
  });
});

describe.each(all.map((corruption) => [corruption.name, corruption] as const))('%s', (_, corruption) => {
  const two: LabeledImages = {
    size: 2,
    shape: [32, 32, 3],
    images: Uint8Array.from([...smooth.values, ...smooth.values], (value) => Math.round(255 * value)),
    labels: Uint8Array.from([3, 4]),
    classes: 10,
  };

  test('the same seed gives the same bytes, and leaves the photographs as they are', () => {
    const before = two.images.slice();
    const [first, second] = [1, 2].map(() => corrupt(two, corruption, 3, 7));
    expect(first).toEqual(second);
    expect(two.images).toEqual(before);
    expect(first!.images).not.toEqual(before);
    expect([first!.labels, first!.shape]).toEqual([two.labels, two.shape]);
  });
});

/** But for coloured noise, frost, which is tinted, and saturation, which makes red what has no hue. */
const colourless = all.filter(({ name }) => !/noise|frost|saturate/.test(name));

test.each(colourless.map((corruption) => [corruption.name, corruption] as const))(
  'a gray photograph becomes under %s what a gray image becomes',
  (_, corruption) => {
    const values = Array.from({ length: 32 * 32 }, (_, i) => smooth.values[3 * i]!);
    const gray = { height: 32, width: 32, channels: 1, values: Float64Array.from(values) };
    const same = photograph((row, column) => values[row * 32 + column]!);
    const [one, three] = [gray, same].map((image) => corruption.apply(image, 4, seedrandom('gray')).values);
    three!.forEach((value, i) => {
      expect(value).toBeCloseTo(one![Math.floor(i / 3)]!, 6);
    });
  },
);
