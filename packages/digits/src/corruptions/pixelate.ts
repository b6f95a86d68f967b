// Too few pixels. Parameters are those of ImageNet-C, which MNIST-C takes as they are: shares of the size.
import { corruption, type Image, imageOf, SIDE } from './corruption.ts';

/** Shrunk to a share of its side by the mean over areas, and back by repeating pixels. */
export const pixelate = corruption('pixelate', [0.6, 0.5, 0.4, 0.3, 0.25], (image, share) => {
  const side = Math.floor(SIDE * share);
  const small = shrink(image, side);
  const from = (index: number) => Math.floor(((index + 0.5) * side) / SIDE);
  return imageOf((row, column) => small[from(row) * side + from(column)]!);
});

/** side x side means over areas of equal size, which cut pixels where they must. */
function shrink(image: Image, side: number): Float64Array {
  const area = SIDE / side;
  return Float64Array.from({ length: side * side }, (_, at) => {
    const [top, left] = [Math.floor(at / side) * area, (at % side) * area];
    let sum = 0;
    for (let row = Math.floor(top); row < Math.min(SIDE, top + area); row++) {
      for (let column = Math.floor(left); column < Math.min(SIDE, left + area); column++) {
        const shared = overlap(row, top, area) * overlap(column, left, area);
        sum += shared * image[row * SIDE + column]!;
      }
    }
    return sum / (area * area);
  });
}

/** How much of a pixel lies in [start, start + length). */
function overlap(pixel: number, start: number, length: number): number {
  return Math.max(0, Math.min(pixel + 1, start + length) - Math.max(pixel, start));
}
