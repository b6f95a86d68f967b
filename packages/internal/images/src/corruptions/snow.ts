// Falling snow: flakes that the camera's motion makes long, over a scene that the snow makes pale.

import { type Image, imageOf, mapValues, pixelAt } from './image.ts';
import { fadingLine, filter } from './kernel.ts';
import { normal, type Random } from './random.ts';
import { zoomedIn } from './zoom.ts';

export interface Snow {
  /** Mean and deviation of the noise that flakes are made of. */
  readonly mean: number;
  readonly deviation: number;
  /** Magnification: the size of flakes. */
  readonly zoom: number;
  /** Noise below it is no flake. */
  readonly threshold: number;
  /** How far flakes fall while the picture is taken: length and deviation of the trace. */
  readonly length: number;
  readonly spread: number;
  /** The share of the scene that keeps its colours. */
  readonly kept: number;
}

/** Flakes fall in a random direction within 45 degrees of straight down. */
export function snow(image: Image, snow: Snow, random: Random): Image {
  const shape = { height: image.height, width: image.width, channels: 1 };
  const noise = imageOf(shape, () => snow.mean + snow.deviation * normal(random));
  const clipped = (value: number) => (value < snow.threshold ? 0 : Math.min(1, value));
  const flakes = mapValues(zoomedIn(noise, snow.zoom), clipped);
  const angle = (-135 + 90 * random()) * (Math.PI / 180);
  const layer = filter(flakes, fadingLine(snow.length, snow.spread, angle));
  return imageOf(image, (row, column, channel) => {
    const value = pixelAt(image, row, column, channel);
    const pale = Math.max(value, 1.5 * luma(image, row, column) + 0.5);
    // The same flakes again, turned around, so that they do not all fall alike.
    const turned = pixelAt(layer, image.height - 1 - row, image.width - 1 - column);
    return snow.kept * value + (1 - snow.kept) * pale + pixelAt(layer, row, column) + turned;
  });
}

function luma(image: Image, row: number, column: number): number {
  if (image.channels === 1) return pixelAt(image, row, column);
  return [0.299, 0.587, 0.114].reduce((sum, weight, c) => sum + weight * pixelAt(image, row, column, c), 0);
}
