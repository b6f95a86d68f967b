// Blurs: of a lens out of focus, of a camera that moves or comes nearer, of frosted glass.

import { type Image, within, withValues } from './image.ts';
import { bell, fadingLine, filter } from './kernel.ts';
import type { Random } from './random.ts';
import { zoomedIn } from './zoom.ts';

/**
 * A moving camera: the mean along a line in a random direction of at most 45 degrees from horizontal, with weights that
 * fall as half a normal density, as ImageMagick does it.
 */
export function motionBlur(
  image: Image,
  { length, deviation }: { length: number; deviation: number },
  random: Random,
): Image {
  const angle = ((random() - 0.5) * Math.PI) / 2;
  return filter(image, fadingLine(length, deviation, angle));
}

export interface Glass {
  /** Of the blur before and after, in pixels. */
  readonly deviation: number;
  /** Of pixels that are swapped, in rows and in columns, at most. */
  readonly distance: number;
  /** How often all pixels are swapped. */
  readonly rounds: number;
}

/**
 * Frosted glass: blurred, then each pixel swapped with one nearby, then blurred again. The published code draws distances
 * from [-distance, distance), which drifts to one side, and leaves out the border; here both sides are alike, and no pixel
 * is left out.
 */
export function glassBlur(image: Image, { deviation, distance, rounds }: Glass, random: Random): Image {
  const soft = bell(deviation);
  const shuffled = filter(image, soft);
  for (let round = 0; round < rounds; round++) swapNearby(shuffled, distance, random);
  return filter(shuffled, soft);
}

/** Swaps each pixel with one at most `distance` rows and columns away, in place: no pixel is lost. */
export function swapNearby(image: Image, distance: number, random: Random): void {
  const { height, width, channels, values } = image;
  const choices = 2 * distance + 1;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const otherRow = within(row + Math.floor(random() * choices) - distance, height);
      const otherColumn = within(column + Math.floor(random() * choices) - distance, width);
      for (let channel = 0; channel < channels; channel++) {
        const here = (row * width + column) * channels + channel;
        const there = (otherRow * width + otherColumn) * channels + channel;
        const value = values[here]!;
        values[here] = values[there]!;
        values[there] = value;
      }
    }
  }
}

/** A camera that comes nearer: the mean of the image and of it at magnifications from 1 to `farthest`, by hundredths. */
export function zoomBlur(image: Image, farthest: number): Image {
  const steps = Math.round(100 * (farthest - 1)) + 1;
  const sum = image.values.slice();
  for (let step = 0; step < steps; step++) {
    zoomedIn(image, 1 + step / 100).values.forEach((value, i) => {
      sum[i] = sum[i]! + value;
    });
  }
  return withValues(
    image,
    sum.map((value) => value / (steps + 1)),
  );
}
