// Digits of which little is seen: hard to read one by one, though many fragments of one class together are not. That is
// where a network has something to gain from the others in its normalization batch. Worker side.

import type { LabeledImages } from '@rebatch/images';
import { KEYHOLE } from './settings.ts';

/** What is seen moves in steps of so many pixels: the network takes means over squares of that size. */
const STEP = 2;

/** The digits, black outside of a square window at a random place each; the same seed, the same places. */
export function throughKeyholes(digits: LabeledImages, seed: number): LabeledImages {
  const [height, width] = digits.shape;
  const places = (size: number) => Math.floor((size - KEYHOLE) / STEP) + 1;
  const images = new Uint8Array(digits.images.length);
  let state = seed;
  const below = (count: number) => {
    // The generator of Park & Miller.
    state = (state * 48_271) % 2_147_483_647;
    return state % count;
  };
  for (let n = 0; n < digits.size; n++) {
    const top = STEP * below(places(height));
    const left = STEP * below(places(width));
    for (let row = top; row < top + KEYHOLE; row++) {
      const from = (n * height + row) * width + left;
      images.set(digits.images.subarray(from, from + KEYHOLE), from);
    }
  }
  return { ...digits, images };
}
