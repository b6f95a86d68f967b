import { type Corruption, corrupt, type LabeledImages, type Severity } from '@rebatch/images';

/**
 * Corrupts images in place, `part` of them without a pause. The same seed gives the same ones.
 *
 * @param breathe awaited between parts.
 */
export async function corruptInParts(
  images: LabeledImages,
  corruption: Corruption,
  severity: Severity,
  { seed, part, breathe }: { seed: number; part: number; breathe: () => Promise<void> },
): Promise<void> {
  const values = images.images.length / images.size;
  for (let start = 0; start < images.size; start += part) {
    const end = Math.min(images.size, start + part);
    const own = images.images.subarray(start * values, end * values);
    const labels = images.labels.subarray(start, end);
    // An image's noise depends on its place in the set: a seed for each part keeps parts from repeating it.
    const done = corrupt(
      { ...images, size: end - start, images: own, labels },
      corruption,
      severity,
      seed + start,
    );
    own.set(done.images);
    await breathe();
  }
}
