// Digits of a domain: worker side.
import { corrupt, corruptions, type LabeledImages, subset } from '@rebatch/digits';
import type { Domain } from './settings.ts';

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
