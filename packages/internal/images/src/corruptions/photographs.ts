// The corruptions of photographs: CIFAR-10-C (Hendrycks & Dietterich 2019, arXiv 1903.12261), its definitions and its
// parameters for 32x32 pixels in colour. Its authors have fifteen, and four extra, of which spatter is left out.
//
// What differs: random numbers are other ones; beyond the border the nearest pixel counts in all filters, where some of
// theirs mirror; glass blur swaps both ways, and at the border; frost is drawn (see `frost.ts`); JPEG is computed, not
// written by an encoder.

import { glassBlur, motionBlur, zoomBlur } from './blur.ts';
import { type Corruption, corruption, type PerSeverity } from './corruption.ts';
import { elastic } from './elastic.ts';
import { fog } from './fog.ts';
import { frost } from './frost.ts';
import { jpeg } from './jpeg.ts';
import { bell, filter, softDisk } from './kernel.ts';
import { brightness, contrast, saturate } from './light.ts';
import { gaussianNoise, impulseNoise, shotNoise, speckleNoise } from './noise.ts';
import { pixelate } from './pixelate.ts';
import { snow } from './snow.ts';

/** The published parameters, by severity. */
const CIFAR10_C = {
  'gaussian-noise': [0.04, 0.06, 0.08, 0.09, 0.1],
  'shot-noise': [500, 250, 100, 75, 50],
  'impulse-noise': [0.01, 0.02, 0.03, 0.05, 0.07],
  'defocus-blur': [
    { radius: 0.3, soft: 0.4 },
    { radius: 0.4, soft: 0.5 },
    { radius: 0.5, soft: 0.6 },
    { radius: 1, soft: 0.2 },
    { radius: 1.5, soft: 0.1 },
  ],
  'glass-blur': [
    { deviation: 0.05, distance: 1, rounds: 1 },
    { deviation: 0.25, distance: 1, rounds: 1 },
    { deviation: 0.4, distance: 1, rounds: 1 },
    { deviation: 0.25, distance: 1, rounds: 2 },
    { deviation: 0.4, distance: 1, rounds: 2 },
  ],
  'motion-blur': [
    { length: 6, deviation: 1 },
    { length: 6, deviation: 1.5 },
    { length: 6, deviation: 2 },
    { length: 8, deviation: 2 },
    { length: 9, deviation: 2.5 },
  ],
  /** The largest magnification. */
  'zoom-blur': [1.05, 1.1, 1.15, 1.2, 1.25],
  snow: [
    { mean: 0.1, deviation: 0.2, zoom: 1, threshold: 0.6, length: 8, spread: 3, kept: 0.95 },
    { mean: 0.1, deviation: 0.2, zoom: 1, threshold: 0.5, length: 10, spread: 4, kept: 0.9 },
    { mean: 0.15, deviation: 0.3, zoom: 1.75, threshold: 0.55, length: 10, spread: 4, kept: 0.9 },
    { mean: 0.25, deviation: 0.3, zoom: 2.25, threshold: 0.6, length: 12, spread: 6, kept: 0.85 },
    { mean: 0.3, deviation: 0.3, zoom: 1.25, threshold: 0.65, length: 14, spread: 12, kept: 0.8 },
  ],
  frost: [
    { image: 1, ice: 0.2 },
    { image: 1, ice: 0.3 },
    { image: 0.9, ice: 0.4 },
    { image: 0.85, ice: 0.4 },
    { image: 0.75, ice: 0.45 },
  ],
  fog: [
    { thickness: 0.2, decay: 3 },
    { thickness: 0.5, decay: 3 },
    { thickness: 0.75, decay: 2.5 },
    { thickness: 1, decay: 2 },
    { thickness: 1.5, decay: 1.75 },
  ],
  brightness: [0.05, 0.1, 0.15, 0.2, 0.3],
  contrast: [0.75, 0.5, 0.4, 0.3, 0.15],
  /** Shares of the side, as published, times 32 pixels. */
  elastic: [
    { strength: 0, deviation: 0, affine: 32 * 0.08 },
    { strength: 32 * 0.05, deviation: 32 * 0.2, affine: 32 * 0.07 },
    { strength: 32 * 0.08, deviation: 32 * 0.06, affine: 32 * 0.06 },
    { strength: 32 * 0.1, deviation: 32 * 0.04, affine: 32 * 0.05 },
    { strength: 32 * 0.1, deviation: 32 * 0.03, affine: 32 * 0.03 },
  ],
  pixelate: [0.95, 0.9, 0.85, 0.75, 0.65],
  jpeg: [80, 65, 58, 50, 40],
  'speckle-noise': [0.06, 0.1, 0.12, 0.16, 0.2],
  /** Deviations. */
  'gaussian-blur': [0.4, 0.6, 0.7, 0.8, 1],
  saturate: [
    { times: 0.3, plus: 0 },
    { times: 0.1, plus: 0 },
    { times: 1.5, plus: 0 },
    { times: 2, plus: 0.1 },
    { times: 2.5, plus: 0.2 },
  ],
} as const satisfies Record<string, PerSeverity<unknown>>;

/** The fifteen of CIFAR-10-C: noise, blur, weather and light, loss of detail. */
export const photographCorruptions: readonly Corruption[] = [
  corruption('gaussian-noise', CIFAR10_C['gaussian-noise'], gaussianNoise),
  corruption('shot-noise', CIFAR10_C['shot-noise'], shotNoise),
  corruption('impulse-noise', CIFAR10_C['impulse-noise'], impulseNoise),
  corruption('defocus-blur', CIFAR10_C['defocus-blur'], (image, disk: { radius: number; soft: number }) =>
    filter(image, softDisk(disk.radius, disk.soft)),
  ),
  corruption('glass-blur', CIFAR10_C['glass-blur'], glassBlur),
  corruption('motion-blur', CIFAR10_C['motion-blur'], motionBlur),
  corruption('zoom-blur', CIFAR10_C['zoom-blur'], zoomBlur),
  corruption('snow', CIFAR10_C.snow, snow),
  corruption('frost', CIFAR10_C.frost, frost),
  corruption('fog', CIFAR10_C.fog, fog),
  corruption('brightness', CIFAR10_C.brightness, brightness),
  corruption('contrast', CIFAR10_C.contrast, contrast),
  corruption('elastic', CIFAR10_C.elastic, elastic),
  corruption('pixelate', CIFAR10_C.pixelate, pixelate),
  corruption('jpeg', CIFAR10_C.jpeg, jpeg),
];

/** Three of the four that its authors keep for tuning. */
export const extraCorruptions: readonly Corruption[] = [
  corruption('speckle-noise', CIFAR10_C['speckle-noise'], speckleNoise),
  corruption('gaussian-blur', CIFAR10_C['gaussian-blur'], (image, deviation: number) =>
    filter(image, bell(deviation)),
  ),
  corruption('saturate', CIFAR10_C.saturate, saturate),
];
