// What scenes have behind their digits.

import { type Gray, resample } from './resample.ts';

/** Pixels of the texture from one of its random values to the next, and how far these are from 0 at most. */
const TEXTURE = [
  { grid: 32, spread: 0.12 },
  { grid: 8, spread: 0.08 },
];
/** Of each pixel, likewise. */
const NOISE = 0.04;

/**
 * Smooth random values at two scales around a random dark gray, and pixel noise: what fine and coarse feature
 * levels see of it differs.
 *
 * @returns size x size gray values, 0 to 1.
 */
export function background(size: number, random: () => number): Gray {
  const values = new Float32Array(size * size).fill(0.15 + 0.2 * random());
  for (const { grid, spread } of TEXTURE) {
    const cells = Math.ceil(size / grid) + 1;
    const coarse = Float32Array.from({ length: cells * cells }, () => spread * (2 * random() - 1));
    const smooth = resample(
      { width: cells, height: cells, values: coarse },
      { width: cells * grid, height: cells * grid },
    );
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) values[y * size + x]! += smooth.values[y * smooth.width + x]!;
    }
  }
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(1, Math.max(0, values[i]! + NOISE * (2 * random() - 1)));
  }
  return { width: size, height: size, values };
}
