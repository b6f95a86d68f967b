// Batches of which the first half is of one style, and the second half of the other.

import { type LabeledImages, ranges } from '@rebatch/images';
import { shuffledBatches } from '../../../training/shuffle.ts';

/** The images of two sets of the same size, one set after the other. */
export function inOneSet(first: LabeledImages, second: LabeledImages): LabeledImages {
  if (first.size !== second.size || String(first.shape) !== String(second.shape)) {
    throw new RangeError(
      `cannot mix ${first.size} images of ${first.shape} with ${second.size} of ${second.shape}`,
    );
  }
  const images = new Uint8Array(2 * first.images.length);
  images.set(first.images);
  images.set(second.images, first.images.length);
  const labels = Uint8Array.from([...first.labels, ...second.labels]);
  return { ...first, size: 2 * first.size, images, labels };
}

/** Endless batches for training: `half` images of each style, drawn independently. */
export function* mixedBatches(sizeOfOne: number, half: number, seed: number): Generator<number[], never> {
  const [first, second] = [2 * seed, 2 * seed + 1].map((own) => shuffledBatches(sizeOfOne, half, own));
  for (;;) yield [...first!.next().value, ...second!.next().value.map((i) => i + sizeOfOne)];
}

/** Every image once, in the order of batches of `half` of each style; those that fill no batch are left out. */
export function inMixedOrder(sizeOfOne: number, half: number): number[] {
  return [...ranges(sizeOfOne, half)]
    .filter((range) => range.length === half)
    .flatMap((range) => [...range, ...range.map((i) => i + sizeOfOne)]);
}
