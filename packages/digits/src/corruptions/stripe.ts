// A corruption of MNIST-C's own (Mu & Gilmer 2019): far from what cameras do, and hard on networks.
import { corruption, imageOf, SIDE } from './corruption.ts';

/**
 * The left and the right border inverted, black for white. The parameter is the width of each in pixels: 7 is MNIST-C's
 * only one; the milder ones are ours.
 */
export const stripe = corruption('stripe', [3, 4, 5, 6, 7], (image, width) =>
  imageOf((row, column) => {
    const value = image[row * SIDE + column]!;
    return column < width || column >= SIDE - width ? 1 - value : value;
  }),
);
