// Fog: a cloud in front of what is seen.

import { type Image, imageOf, pixelAt } from './image.ts';
import type { Random } from './random.ts';

/** The smallest power of two that holds an image. */
const MAP = 32;

export interface Fog {
  readonly thickness: number;
  /** By what the cloud's detail decays from one octave to the next. */
  readonly decay: number;
}

/** The image plus a cloud, scaled back to the range that it had. For images of at most 32x32 pixels. */
export function fog(image: Image, { thickness, decay }: Fog, random: Random): Image {
  const cloud = plasma(MAP, decay, random);
  const brightest = image.values.reduce((max, value) => Math.max(max, value), 0);
  const scale = brightest / (brightest + thickness);
  return imageOf(image, (row, column, channel) => {
    const value = pixelAt(image, row, column, channel);
    return (value + thickness * cloud[row * MAP + column]!) * scale;
  });
}

/**
 * A height map by the diamond-square algorithm (Fournier, Fussell & Carpenter 1982) that tiles: the middle of four known
 * points is their mean plus uniform noise, first for squares and then for diamonds, on ever finer grids. The noise falls
 * by the square of `decay` per grid, as in ImageNet-C.
 *
 * @param size a power of two.
 * @returns size x size heights, from exactly 0 to exactly 1.
 */
export function plasma(size: number, decay: number, random: Random): Float64Array {
  const map = new Float64Array(size * size);
  const at = (row: number, column: number) => ((row + size) % size) * size + ((column + size) % size);
  let noise = 1;
  const fill = (row: number, column: number, offsets: readonly (readonly [number, number])[]) => {
    const sum = offsets.reduce((total, [down, right]) => total + map[at(row + down, column + right)]!, 0);
    map[at(row, column)] = sum / 4 + noise * (2 * random() - 1);
  };
  for (let step = size; step >= 2; step /= 2) {
    const half = step / 2;
    const corners = [
      [-half, -half],
      [-half, half],
      [half, -half],
      [half, half],
    ] as const;
    const sides = [
      [-half, 0],
      [half, 0],
      [0, -half],
      [0, half],
    ] as const;
    for (let row = half; row < size; row += step) {
      for (let column = half; column < size; column += step) fill(row, column, corners);
    }
    for (let row = 0; row < size; row += half) {
      for (let column = row % step === 0 ? half : 0; column < size; column += step) fill(row, column, sides);
    }
    noise /= decay * decay;
  }
  const low = map.reduce((min, value) => Math.min(min, value));
  const high = map.reduce((max, value) => Math.max(max, value));
  return map.map((value) => (value - low) / (high - low));
}
