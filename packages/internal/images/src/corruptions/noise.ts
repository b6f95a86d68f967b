// Noise of sensors and of transmission. Every value by itself, so that in colour photographs it is coloured.

import { type Image, mapValues } from './image.ts';
import { normal, poisson, type Random } from './random.ts';

/** Low light: every value plus a normal one. */
export function gaussianNoise(image: Image, deviation: number, random: Random): Image {
  return mapValues(image, (value) => value + deviation * normal(random));
}

/** The discreteness of light: photons are counted, so many where an image is white. */
export function shotNoise(image: Image, photons: number, random: Random): Image {
  return mapValues(image, (value) => poisson(value * photons, random) / photons);
}

/** Bit errors: a share of the values become 0 or 1, half of them each. */
export function impulseNoise(image: Image, share: number, random: Random): Image {
  return mapValues(image, (value) => {
    if (random() >= share) return value;
    return random() < 0.5 ? 0 : 1;
  });
}

/** Of coherent light: every value times 1 plus a normal one. */
export function speckleNoise(image: Image, deviation: number, random: Random): Image {
  return mapValues(image, (value) => value + value * deviation * normal(random));
}
