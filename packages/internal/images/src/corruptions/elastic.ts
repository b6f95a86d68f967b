// Stretching and shearing, as a whole and locally.

import { type Image, imageOf, valueAt } from './image.ts';
import { bell, filter } from './kernel.ts';
import type { Random } from './random.ts';

export interface Elastic {
  /** How far pixels are moved at most, before the field of motions is smoothed; in pixels. */
  readonly strength: number;
  /** Of the smoothing. */
  readonly deviation: number;
  /** How far three points of the image are moved at most by an affine map, in pixels. */
  readonly affine: number;
}

/** An affine map that moves three points at random (Simard et al. 2003), then a smooth field of random motions. */
export function elastic(image: Image, { strength, deviation, affine }: Elastic, random: Random): Image {
  const source = affineSource(image, affine, random);
  const mapped = imageOf(image, (row, column, channel) => {
    const [x, y] = source(column, row);
    return valueAt(image, mirrored(y, image.height), mirrored(x, image.width), channel);
  });
  if (strength === 0) return mapped;
  const field = () => {
    const noise = imageOf({ ...image, channels: 1 }, () => 2 * random() - 1);
    return filter(noise, bell(deviation, Math.max(1, Math.round(3 * deviation)))).values;
  };
  const [right, down] = [field(), field()];
  return imageOf(mapped, (row, column, channel) => {
    const at = row * image.width + column;
    const [y, x] = [row + strength * down[at]!, column + strength * right[at]!];
    return valueAt(mapped, mirrored(y, image.height), mirrored(x, image.width), channel);
  });
}

/** Where a point of the result is taken from: the inverse of the map that moves three points of the middle. */
function affineSource(
  image: Image,
  most: number,
  random: Random,
): (x: number, y: number) => [number, number] {
  const [middleX, middleY] = [Math.floor(image.width / 2), Math.floor(image.height / 2)];
  const size = Math.floor(Math.min(image.width, image.height) / 3);
  const from = [
    [middleX + size, middleY + size],
    [middleX + size, middleY - size],
    [middleX - size, middleY - size],
  ] as const;
  const move = () => most * (2 * random() - 1);
  const to = from.map(([x, y]) => [x + move(), y + move()] as const);
  // In coordinates along the sides of the triangle, a point keeps its place.
  const [a, b, c] = to as [(typeof to)[0], (typeof to)[0], (typeof to)[0]];
  const [ux, uy, vx, vy] = [b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]];
  const determinant = ux * vy - uy * vx;
  return (x, y) => {
    const [dx, dy] = [x - a[0], y - a[1]];
    const s = (dx * vy - dy * vx) / determinant;
    const t = (dy * ux - dx * uy) / determinant;
    const along = (axis: 0 | 1) =>
      from[0][axis] + s * (from[1][axis] - from[0][axis]) + t * (from[2][axis] - from[0][axis]);
    return [along(0), along(1)];
  };
}

/** Beyond the border, what lies as far inside it. */
function mirrored(position: number, length: number): number {
  const period = 2 * (length - 1);
  const within = ((position % period) + period) % period;
  return within <= length - 1 ? within : period - within;
}
