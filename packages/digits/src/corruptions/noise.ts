// Noise of sensors and of transmission. Parameters are those of ImageNet-C (Hendrycks & Dietterich 2019), which MNIST-C
// (Mu & Gilmer 2019) takes as they are: they are gray values and shares of pixels, which have nothing to do with size.
import { corruption, type Random } from './corruption.ts';

/** Low light: every pixel plus a normal value. The parameter is the standard deviation. */
export const gaussianNoise = corruption(
  'gaussian-noise',
  [0.08, 0.12, 0.18, 0.26, 0.38],
  (image, deviation, random) => image.map((value) => value + deviation * normal(random)),
);

/** The discreteness of light: photons are counted. The parameter is the photons that make a white pixel. */
export const shotNoise = corruption('shot-noise', [60, 25, 12, 5, 3], (image, photons, random) =>
  image.map((value) => poisson(value * photons, random) / photons),
);

/** Bit errors: salt and pepper. The parameter is the share of pixels that turn black or white, half of them each. */
export const impulseNoise = corruption(
  'impulse-noise',
  [0.03, 0.06, 0.09, 0.17, 0.27],
  (image, share, random) =>
    image.map((value) => {
      if (random() >= share) return value;
      return random() < 0.5 ? 0 : 1;
    }),
);

/** Standard normal (Box & Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Poisson, by products of uniform values (Knuth, TAOCP 3.4.1): for means that are not large. */
function poisson(mean: number, random: Random): number {
  const limit = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product >= limit; product *= random()) count++;
  return count;
}
