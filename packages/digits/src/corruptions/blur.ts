// Blurs: of a lens out of focus, of a camera that moves, of frosted glass. Their parameters are lengths in pixels. The
// strokes of a digit are about 3 pixels wide. Of ImageNet-C's lengths, made for 224 pixels a side, MNIST-C takes the first
// severity as it is; the others leave nothing to read at 28. So the scales here are ours, around what MNIST-C takes, with
// lengths of CIFAR-10-C, the same authors' for 32 pixels, where they fit.
import { corruption, type Image, pixelAt, type Random, SIDE, within } from './corruption.ts';

const SOFT = bell(0.7);

/** A position relative to a pixel, and its weight; all weights of a kernel add up to 1. */
interface Tap {
  readonly row: number;
  readonly column: number;
  readonly weight: number;
}

/**
 * Out of focus: the mean over a disk. The parameter is its radius; 1 and 1.5 are the last two severities of CIFAR-10-C, 3
 * is MNIST-C's. The disk is antialiased by the share of each pixel that it covers.
 */
export const defocusBlur = corruption(
  'defocus-blur',
  [disk(1), disk(1.5), disk(2), disk(2.5), disk(3)],
  filter,
);

/**
 * A moving camera: the mean along a line in a random direction of at most 45 degrees from horizontal, with weights that
 * fall as half a normal density, as ImageMagick does it. Length and standard deviation; the first four are severities 1,
 * 2, 3 and 5 of CIFAR-10-C, the last is MNIST-C's.
 */
export const motionBlur = corruption(
  'motion-blur',
  [
    { length: 6, deviation: 1 },
    { length: 6, deviation: 1.5 },
    { length: 6, deviation: 2 },
    { length: 9, deviation: 2.5 },
    { length: 10, deviation: 3 },
  ],
  (image, { length, deviation }, random) => {
    const angle = ((random() - 0.5) * Math.PI) / 2;
    const taps = Array.from({ length: 2 * length + 1 }, (_, i) => ({
      row: Math.round(i * Math.sin(angle)),
      column: Math.round(i * Math.cos(angle)),
      weight: Math.exp(-((i / deviation) ** 2) / 2),
    }));
    return filter(image, normalized(taps));
  },
);

/**
 * Frosted glass: blurred, then each pixel swapped with one nearby, then blurred again. Blur and distance of the swaps are
 * MNIST-C's, a standard deviation of 0.7 and one pixel; the parameter is how often all pixels are swapped, 2 there. The
 * published code draws distances from [-1, 1), which drifts to one side; here they are -1, 0 or 1.
 */
export const glassBlur = corruption('glass-blur', [1, 2, 3, 4, 5], (image, rounds, random) => {
  const shuffled = filter(image, SOFT);
  for (let round = 0; round < rounds; round++) swapNearby(shuffled, 1, random);
  return filter(shuffled, SOFT);
});

/** Swaps each pixel with one at most `distance` rows and columns away, in place: no value is lost. */
export function swapNearby(image: Image, distance: number, random: Random): void {
  const choices = 2 * distance + 1;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const otherRow = within(row + Math.floor(random() * choices) - distance);
      const otherColumn = within(column + Math.floor(random() * choices) - distance);
      const here = row * SIDE + column;
      const there = otherRow * SIDE + otherColumn;
      const value = image[here]!;
      image[here] = image[there]!;
      image[there] = value;
    }
  }
}

/** Each pixel becomes the weighted mean of those that the kernel points to. */
function filter(image: Image, kernel: readonly Tap[]): Image {
  const reach = Math.max(...kernel.map(({ row, column }) => Math.max(Math.abs(row), Math.abs(column))));
  const width = SIDE + 2 * reach;
  const padded = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < width; column++) {
      padded[row * width + column] = pixelAt(image, row - reach, column - reach);
    }
  }
  const result = new Float64Array(SIDE * SIDE);
  for (const tap of kernel) {
    const { weight } = tap;
    for (let row = 0; row < SIDE; row++) {
      const from = (row + reach + tap.row) * width + reach + tap.column;
      const to = row * SIDE;
      for (let column = 0; column < SIDE; column++) {
        result[to + column] = result[to + column]! + weight * padded[from + column]!;
      }
    }
  }
  return result;
}

/** The share of each pixel that a disk around the middle one covers. */
function disk(radius: number): Tap[] {
  const parts = 16;
  const reach = Math.ceil(radius);
  return square(reach, (row, column) => {
    let covered = 0;
    for (let i = 0; i < parts * parts; i++) {
      const y = row - 0.5 + (Math.floor(i / parts) + 0.5) / parts;
      const x = column - 0.5 + ((i % parts) + 0.5) / parts;
      if (x * x + y * y <= radius * radius) covered++;
    }
    return covered;
  });
}

/** A normal density in two dimensions, as far as four standard deviations. */
function bell(deviation: number): Tap[] {
  return square(Math.ceil(4 * deviation), (row, column) =>
    Math.exp(-(row * row + column * column) / (2 * deviation * deviation)),
  );
}

function square(reach: number, weight: (row: number, column: number) => number): Tap[] {
  const width = 2 * reach + 1;
  const taps = Array.from({ length: width * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width) - reach, (i % width) - reach];
    return { row, column, weight: weight(row, column) };
  });
  return normalized(taps);
}

function normalized(taps: readonly Tap[]): Tap[] {
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return taps.map((tap) => ({ ...tap, weight: tap.weight / total })).filter(({ weight }) => weight > 0);
}
