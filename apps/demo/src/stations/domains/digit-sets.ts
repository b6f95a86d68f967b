// Digits of a domain, and of one's own: worker side.
import { corrupt, corruptions, imageTensor, type LabeledImages, ranges, subset } from '@rebatch/digits';
import type * as tf from '@tensorflow/tfjs-core';
import { DIGIT, type Domain } from './settings.ts';

const [CHUNK, BATCH] = [50, 64];

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
  const pixels = chosen.images.length / size;
  for (let start = 0; start < size; start += CHUNK) {
    const end = Math.min(size, start + CHUNK);
    const images = chosen.images.subarray(start * pixels, end * pixels);
    const labels = chosen.labels.subarray(start, end);
    // A digit's noise depends on its place in the set: a seed for each part keeps parts from repeating it.
    const part = corrupt({ ...chosen, size: end - start, images, labels }, found, severity, seed + start);
    chosen.images.set(part.images, start * pixels);
    await breathe();
  }
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

/** The first digits in batches; they can be gone through several times, as layerwise does. */
export function batchesOf(digits: LabeledImages, size: number): Iterable<tf.Tensor> {
  return {
    *[Symbol.iterator]() {
      for (const indices of ranges(size, BATCH)) yield imageTensor(digits, indices);
    },
  };
}
