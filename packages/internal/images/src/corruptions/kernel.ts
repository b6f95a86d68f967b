// Kernels of linear filters, as sparse lists, and what applies them.

import { type Image, pixelAt, withValues } from './image.ts';

/** A position relative to a pixel, and its weight; all weights of a kernel add up to 1. */
export interface Tap {
  readonly row: number;
  readonly column: number;
  readonly weight: number;
}

export type Kernel = readonly Tap[];

/** Each pixel becomes the weighted mean of those that the kernel points to, channel by channel. */
export function filter(image: Image, kernel: Kernel): Image {
  const { height, width, channels } = image;
  const reach = Math.max(...kernel.map(({ row, column }) => Math.max(Math.abs(row), Math.abs(column))));
  const stride = (width + 2 * reach) * channels;
  const padded = new Float64Array((height + 2 * reach) * stride);
  for (let row = 0; row < height + 2 * reach; row++) {
    for (let at = 0; at < stride; at++) {
      const column = Math.floor(at / channels) - reach;
      padded[row * stride + at] = pixelAt(image, row - reach, column, at % channels);
    }
  }
  const result = new Float64Array(height * width * channels);
  for (const tap of kernel) {
    const { weight } = tap;
    for (let row = 0; row < height; row++) {
      const from = (row + reach + tap.row) * stride + (reach + tap.column) * channels;
      const to = row * width * channels;
      for (let at = 0; at < width * channels; at++) {
        result[to + at] = result[to + at]! + weight * padded[from + at]!;
      }
    }
  }
  return withValues(image, result);
}

/** The share of each pixel that a disk around the middle one covers. */
export function coveredDisk(radius: number): Kernel {
  const parts = 16;
  return square(Math.ceil(radius), (row, column) => {
    let covered = 0;
    for (let i = 0; i < parts * parts; i++) {
      const y = row - 0.5 + (Math.floor(i / parts) + 0.5) / parts;
      const x = column - 0.5 + ((i % parts) + 0.5) / parts;
      if (x * x + y * y <= radius * radius) covered++;
    }
    return covered;
  });
}

/** The pixels whose middles lie in a disk, made soft by a 3x3 normal density of the given deviation. */
export function softDisk(radius: number, deviation: number): Kernel {
  const inside = (row: number, column: number) => (row * row + column * column <= radius * radius ? 1 : 0);
  const soft = bell(deviation, 1);
  return square(Math.floor(radius) + 1, (row, column) =>
    soft.reduce((sum, tap) => sum + tap.weight * inside(row + tap.row, column + tap.column), 0),
  );
}

/** A normal density in two dimensions, as far as four standard deviations unless `reach` says otherwise. */
export function bell(deviation: number, reach: number = Math.ceil(4 * deviation)): Kernel {
  return square(reach, (row, column) =>
    Math.exp(-(row * row + column * column) / (2 * deviation * deviation)),
  );
}

/** A line from the middle at an angle (in radians, 0 to the right, growing downwards), falling as half a normal density. */
export function fadingLine(length: number, deviation: number, angle: number): Kernel {
  return normalized(
    Array.from({ length: 2 * length + 1 }, (_, i) => ({
      row: Math.round(i * Math.sin(angle)),
      column: Math.round(i * Math.cos(angle)),
      weight: Math.exp(-((i / deviation) ** 2) / 2),
    })),
  );
}

function square(reach: number, weight: (row: number, column: number) => number): Kernel {
  const width = 2 * reach + 1;
  const taps = Array.from({ length: width * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width) - reach, (i % width) - reach];
    return { row, column, weight: weight(row, column) };
  });
  return normalized(taps);
}

function normalized(taps: readonly Tap[]): Kernel {
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return taps.map((tap) => ({ ...tap, weight: tap.weight / total })).filter(({ weight }) => weight > 0);
}
