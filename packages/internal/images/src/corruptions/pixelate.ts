// Too few pixels.

import { type Image, imageOf, pixelAt } from './image.ts';

/** Shrunk to a share of its sides by the mean over areas, and back by repeating pixels. */
export function pixelate(image: Image, share: number): Image {
  const { height, width } = image;
  const small = shrink(image, Math.floor(height * share), Math.floor(width * share));
  const from = (index: number, few: number, all: number) => Math.floor(((index + 0.5) * few) / all);
  return imageOf(image, (row, column, channel) =>
    pixelAt(small, from(row, small.height, height), from(column, small.width, width), channel),
  );
}

/** Means over areas of equal size, which cut pixels where they must. */
function shrink(image: Image, height: number, width: number): Image {
  const [tall, wide] = [image.height / height, image.width / width];
  return imageOf({ height, width, channels: image.channels }, (row, column, channel) => {
    const [top, left] = [row * tall, column * wide];
    let sum = 0;
    for (let y = Math.floor(top); y < Math.min(image.height, top + tall); y++) {
      for (let x = Math.floor(left); x < Math.min(image.width, left + wide); x++) {
        sum += overlap(y, top, tall) * overlap(x, left, wide) * pixelAt(image, y, x, channel);
      }
    }
    return sum / (tall * wide);
  });
}

/** How much of a pixel lies in [start, start + length). */
function overlap(pixel: number, start: number, length: number): number {
  return Math.max(0, Math.min(pixel + 1, start + length) - Math.max(pixel, start));
}
