// Digits of which only a part is seen: hard to read one by one, though many fragments of one class together are not. That
// is where a network has something to gain from the others in its normalization batch.

import type { LabeledImages } from '@rebatch/images';
import seedrandom from 'seedrandom';

/** The digits, black outside of a square window of so many pixels at a random place; the same seed, the same places. */
export function digitFragments(digits: LabeledImages, window: number, seed: number): LabeledImages {
  const [height, width] = digits.shape;
  const random = seedrandom(`fragments ${seed}`);
  const images = new Uint8Array(digits.images.length);
  for (let n = 0; n < digits.size; n++) {
    const top = Math.floor(random() * (height - window + 1));
    const left = Math.floor(random() * (width - window + 1));
    for (let row = top; row < top + window; row++) {
      const from = (n * height + row) * width + left;
      images.set(digits.images.subarray(from, from + window), from);
    }
  }
  return { ...digits, images };
}
