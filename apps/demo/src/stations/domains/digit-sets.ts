// Digits of a domain, and of one's own: worker side.

import { digitCorruptions as corruptions, type LabeledImages, subset } from '@rebatch/images';
import { corruptInParts } from './corrupt-in-parts.ts';
import { DIGIT, type Domain } from './settings.ts';

/** Digits that are corrupted without a pause. */
const CHUNK = 50;

/**
 * The first `size` digits, corrupted as the domain says. The same seed gives the same ones, and fewer are the first of
 * more.
 *
 * @param breathe awaited between parts of the work.
 */
export async function corrupted(
  digits: LabeledImages,
  { corruption, severity }: Domain,
  { size, seed, breathe }: { size: number; seed: number; breathe: () => Promise<void> },
): Promise<LabeledImages> {
  const chosen = subset(digits, [...Array(size).keys()]);
  if (corruption === 'none') return chosen;
  const found = corruptions.find(({ name }) => name === corruption);
  if (found === undefined) throw new Error(`There is no corruption '${corruption}'.`);
  await corruptInParts(chosen, found, severity, { seed, part: CHUNK, breathe });
  return chosen;
}

/** Digits without labels from their pixels, `most` of them at most. */
export function ownDigits(images: Uint8Array, most: number): LabeledImages {
  const size = Math.min(most, images.length / DIGIT);
  if (images.length === 0 || images.length % DIGIT !== 0) {
    throw new RangeError(`Expected one or more digits of ${DIGIT} pixels each, got ${images.length} pixels.`);
  }
  return {
    size,
    shape: [28, 28, 1],
    images: images.slice(0, size * DIGIT),
    labels: new Uint8Array(size),
    classes: 10,
  };
}
