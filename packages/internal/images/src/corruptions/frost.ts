// Ice on the lens. The published definition lays parts of six photographs of frost over the image; those are not ours to
// hand on, so here frost is drawn: needles of ice that branch out from a few seeds, in a pale blue.

import { plasma } from './fog.ts';
import { type Image, imageOf, pixelAt } from './image.ts';
import type { Random } from './random.ts';

export interface Frost {
  /** The weight of the image, and that of the ice. */
  readonly image: number;
  readonly ice: number;
}

/** As in the published photographs, red is a little weaker than blue. */
const TINT = [0.78, 0.86, 0.92] as const;
const GRAY_TINT = 0.85;
const MAP = 32;

/** A weighted sum of the image and of frost. For images of at most 32x32 pixels. */
export function frost(image: Image, weights: Frost, random: Random): Image {
  const ice = needles(random);
  return imageOf(image, (row, column, channel) => {
    const tint = image.channels === 1 ? GRAY_TINT : TINT[channel]!;
    return (
      weights.image * pixelAt(image, row, column, channel) + weights.ice * tint * ice[row * MAP + column]!
    );
  });
}

/** A frosted pane: bright ridges where a height map crosses its middle heights, over a haze. 32x32 values, 0 to 1. */
function needles(random: Random): Float64Array {
  const [haze, ridges] = [plasma(MAP, 1.6, random), plasma(MAP, 1.25, random)];
  return haze.map((height, i) => {
    const ridge = 1 - Math.abs(2 * ridges[i]! - 1);
    return 0.25 + 0.4 * height + 0.35 * ridge;
  });
}
