// The corruptions of digits, after MNIST-C (Mu & Gilmer 2019, arXiv 1906.02337) and ImageNet-C (Hendrycks & Dietterich
// 2019, arXiv 1903.12261), written from their definitions. Left out of ImageNet-C: frost, elastic transforms, zoom blur
// and snow, and what needs colour. Left out of MNIST-C: what moves a digit instead of covering it (shear, scale, rotate,
// translate), and what has no scale of severity (lines, edges).

import { glassBlur, motionBlur } from './blur.ts';
import { type Corruption, corruption } from './corruption.ts';
import { fog } from './fog.ts';
import { jpeg } from './jpeg.ts';
import { coveredDisk, filter } from './kernel.ts';
import { brightness, contrast } from './light.ts';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.ts';
import { pixelate } from './pixelate.ts';
import { stripe } from './stripe.ts';

/**
 * All of them: noise, blur, weather and light, loss of detail, and MNIST-C's stripe.
 *
 * The parameters of noise, fog, light, pixels and JPEG are those of ImageNet-C, which MNIST-C takes as they are. Those of
 * blurs are lengths in pixels, and the strokes of a digit are about 3 pixels wide. Of ImageNet-C's lengths, made for 224
 * pixels a side, MNIST-C takes the first severity as it is; the others leave nothing to read at 28. So their scales here
 * are ours, around what MNIST-C takes, with lengths of CIFAR-10-C, the same authors' for 32 pixels, where they fit.
 */
export const digitCorruptions: readonly Corruption[] = [
  corruption('gaussian-noise', [0.08, 0.12, 0.18, 0.26, 0.38], gaussianNoise),
  corruption('shot-noise', [60, 25, 12, 5, 3], shotNoise),
  corruption('impulse-noise', [0.03, 0.06, 0.09, 0.17, 0.27], impulseNoise),
  // 1 and 1.5 are the last two severities of CIFAR-10-C, 3 is MNIST-C's.
  corruption(
    'defocus-blur',
    [coveredDisk(1), coveredDisk(1.5), coveredDisk(2), coveredDisk(2.5), coveredDisk(3)],
    filter,
  ),
  // MNIST-C's has a deviation of 0.7, a distance of 1 and two rounds.
  corruption('glass-blur', [1, 2, 3, 4, 5], (image, rounds: number, random) =>
    glassBlur(image, { deviation: 0.7, distance: 1, rounds }, random),
  ),
  // Severities 1, 2, 3 and 5 of CIFAR-10-C, and MNIST-C's.
  corruption(
    'motion-blur',
    [
      { length: 6, deviation: 1 },
      { length: 6, deviation: 1.5 },
      { length: 6, deviation: 2 },
      { length: 9, deviation: 2.5 },
      { length: 10, deviation: 3 },
    ],
    motionBlur,
  ),
  corruption(
    'fog',
    [
      { thickness: 1.5, decay: 2 },
      { thickness: 2, decay: 2 },
      { thickness: 2.5, decay: 1.7 },
      { thickness: 2.5, decay: 1.5 },
      { thickness: 3, decay: 1.4 },
    ],
    fog,
  ),
  corruption('brightness', [0.1, 0.2, 0.3, 0.4, 0.5], brightness),
  corruption('contrast', [0.4, 0.3, 0.2, 0.1, 0.05], contrast),
  corruption('pixelate', [0.6, 0.5, 0.4, 0.3, 0.25], pixelate),
  corruption('jpeg', [25, 18, 15, 10, 7], jpeg),
  // Far from what cameras do, and hard on networks: 7 pixels are MNIST-C's only width, the milder ones are ours.
  corruption('stripe', [3, 4, 5, 6, 7], stripe),
];
