// Patches of images as rows of a matrix: row p holds, tap by tap, the input channels that output position p sees, and
// zeros where a tap lies outside of the image.
import { type ConvInfo, tapsInside } from './geometry.ts';

/**
 * Visits the patches of output positions [from, from + count) of all images, in runs of neighbouring values.
 *
 * @param width values from one row of the matrix to the next.
 * @param visit gets where a run lies in the rows, of which the first is that of `from`, where it lies in the input, and
 *   how long it is.
 */
function forEachRun(
  info: ConvInfo,
  width: number,
  from: number,
  count: number,
  visit: (inRows: number, inImage: number, length: number) => void,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  for (let p = 0; p < count; p++) {
    const position = from + p;
    const left = (position % outWidth) * strideWidth - padInfo.left;
    const line = Math.floor(position / outWidth);
    const top = (line % outHeight) * strideHeight - padInfo.top;
    const image = Math.floor(line / outHeight) * inHeight;
    const [firstRow, endRow] = tapsInside(top, dilationHeight, filterHeight, inHeight);
    const [first, end] = tapsInside(left, dilationWidth, filterWidth, inWidth);
    if (first === end) continue;
    for (let kh = firstRow; kh < endRow; kh++) {
      const row = (image + top + kh * dilationHeight) * inWidth + left;
      const taps = p * width + kh * filterWidth * inChannels;
      if (dilationWidth === 1) {
        visit(taps + first * inChannels, (row + first) * inChannels, (end - first) * inChannels);
        continue;
      }
      for (let kw = first; kw < end; kw++) {
        visit(taps + kw * inChannels, (row + kw * dilationWidth) * inChannels, inChannels);
      }
    }
  }
}

/** Writes the patches of output positions [from, from + count) into rows of `width` values. */
export function readPatches(
  x: Float32Array,
  rows: Float64Array,
  width: number,
  from: number,
  count: number,
  info: ConvInfo,
): void {
  rows.fill(0, 0, count * width);
  forEachRun(info, width, from, count, (inRows, inImage, length) => {
    for (let i = 0; i < length; i++) rows[inRows + i] = x[inImage + i]!;
  });
}

/**
 * Adds rows of patches to the pixels that they are from.
 *
 * @param pixels the images from the one that begins `before` values into the input.
 */
export function addPatches(
  rows: Float64Array,
  pixels: Float64Array,
  before: number,
  width: number,
  from: number,
  count: number,
  info: ConvInfo,
): void {
  forEachRun(info, width, from, count, (inRows, inImage, length) => {
    const to = inImage - before;
    for (let i = 0; i < length; i++) pixels[to + i]! += rows[inRows + i]!;
  });
}
