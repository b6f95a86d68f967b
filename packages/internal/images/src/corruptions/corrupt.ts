import seedrandom from 'seedrandom';
import type { LabeledImages } from '../labeled-images.ts';
import type { Corruption, Severity } from './corruption.ts';

/**
 * Corrupted copies of the images, with their labels. An image's noise depends on its index and the seed, not on the images
 * around it or on the severity: severities differ by strength alone.
 */
export function corrupt(
  images: LabeledImages,
  { name, apply }: Corruption,
  severity: Severity,
  seed: number,
): LabeledImages {
  const [height, width, channels] = images.shape;
  const length = height * width * channels;
  // Clamps and rounds.
  const bytes = new Uint8ClampedArray(images.size * length);
  // One after the other in the same two arrays: allocating for each image takes longer than most corruptions do.
  const values = new Float64Array(length);
  for (let index = 0; index < images.size; index++) {
    const start = index * length;
    for (let i = 0; i < length; i++) values[i] = images.images[start + i]! / 255;
    const clean = { height, width, channels, values };
    const corrupted = apply(clean, severity, seedrandom(`${name} ${seed} ${index}`));
    for (let i = 0; i < length; i++) bytes[start + i] = 255 * corrupted.values[i]!;
  }
  return { ...images, images: new Uint8Array(bytes.buffer) };
}
