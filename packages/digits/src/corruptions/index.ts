// Corrupted digits, after MNIST-C (Mu & Gilmer 2019, arXiv 1906.02337) and ImageNet-C (Hendrycks & Dietterich 2019,
// arXiv 1903.12261), written from their definitions. Left out of ImageNet-C: frost, which needs photographs, saturation,
// which needs colour, and zoom blur and snow, which come near the blurs and noises here. Left out of both: what moves a
// digit instead of covering it (elastic, shear, scale, rotate, translate); and of MNIST-C what has no scale of severity
// (lines, edges).
import seedrandom from 'seedrandom';
import type { LabeledImages } from '../labeled-images.ts';
import { defocusBlur, glassBlur, motionBlur } from './blur.ts';
import { type Corruption, type Severity, SIDE } from './corruption.ts';
import { fog } from './fog.ts';
import { jpeg } from './jpeg.ts';
import { brightness, contrast } from './light.ts';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.ts';
import { pixelate } from './pixelate.ts';
import { stripe } from './stripe.ts';

export type { Corruption, Severity } from './corruption.ts';

/** All of them: noise, blur, weather and light, loss of detail, and MNIST-C's stripe. */
export const corruptions: readonly Corruption[] = [
  gaussianNoise,
  shotNoise,
  impulseNoise,
  defocusBlur,
  glassBlur,
  motionBlur,
  fog,
  brightness,
  contrast,
  pixelate,
  jpeg,
  stripe,
];

/** From mild to strong. */
export const severities: readonly Severity[] = [1, 2, 3, 4, 5];

/**
 * Corrupted copies of the digits, with their labels. A digit's noise depends on its index and the seed, not on the digits
 * around it or on the severity: severities differ by strength alone.
 */
export function corrupt(
  digits: LabeledImages,
  { name, apply }: Corruption,
  severity: Severity,
  seed: number,
): LabeledImages {
  const pixels = SIDE * SIDE;
  // Clamps and rounds.
  const images = new Uint8ClampedArray(digits.size * pixels);
  // One after the other in the same two arrays: allocating for each digit takes longer than most corruptions do.
  const clean = new Float64Array(pixels);
  for (let index = 0; index < digits.size; index++) {
    const start = index * pixels;
    for (let i = 0; i < pixels; i++) clean[i] = digits.images[start + i]! / 255;
    const corrupted = apply(clean, severity, seedrandom(`${name} ${seed} ${index}`));
    for (let i = 0; i < pixels; i++) images[start + i] = 255 * corrupted[i]!;
  }
  return { ...digits, images: new Uint8Array(images.buffer) };
}
