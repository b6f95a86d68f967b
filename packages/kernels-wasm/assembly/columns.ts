// Patches of an image or volume as rows of a matrix, and back: row p holds, tap by tap, the input channels that output
// position p sees (zero outside). `width` floats per row, of which the first patchSize() are written.
import { f32At } from './numbers';
import {
  dilationHeight, dilationWidth, endTap, filterDepth, filterHeight, filterWidth, firstTap, inChannels, inDepth,
  inHeight, inWidth, outDepth, outHeight, outWidth, padFront, padLeft, padTop, strideDepth, strideHeight, strideWidth,
} from './geometry';

/** Writes the patches of output positions [from, from + n). */
export function imageToColumns(image: usize, columns: usize, width: i32, from: i32, n: i32): void {
  movePatches(image, columns, width, from, n, false);
}

/** Adds the patches of output positions [from, from + n) to the pixels they came from. */
export function addColumnsToImage(columns: usize, image: usize, width: i32, from: i32, n: i32): void {
  movePatches(image, columns, width, from, n, true);
}

/** Either of the above: positions of one row of the output at a time, and of those one row of taps after the other. */
function movePatches(image: usize, columns: usize, width: i32, from: i32, n: i32, back: bool): void {
  const line = filterWidth * inChannels;
  const step = (<usize>width) << 2;
  // Positions [first, end) of a row see nothing but pixels, which lie side by side unless dilated.
  const room = inWidth - filterWidth + padLeft;
  const first = (padLeft + strideWidth - 1) / strideWidth;
  const end = dilationWidth > 1 || room < 0 ? 0 : room / strideWidth + 1;
  let ow = from % outWidth;
  let oh = (from / outWidth) % outHeight;
  let od = (from / (outWidth * outHeight)) % outDepth;
  let b = from / (outWidth * outHeight * outDepth);
  while (n > 0) {
    const last = min(ow + n, outWidth);
    let taps = columns;
    for (let kd = 0; kd < filterDepth; kd++) {
      const id = od * strideDepth - padFront + kd;
      for (let kh = 0; kh < filterHeight; kh++, taps = f32At(taps, line)) {
        const ih = oh * strideHeight - padTop + kh * dilationHeight;
        const outside = id < 0 || id >= inDepth || ih < 0 || ih >= inHeight;
        if (outside && back) continue;
        const pixels = f32At(image, ((b * inDepth + id) * inHeight + ih) * inWidth * inChannels);
        let row = taps;
        for (let p = ow; p < last; p++, row += step) {
          const left = p * strideWidth - padLeft;
          if (outside) clear(row, line);
          else if (p < first || p >= end) moveTaps(pixels, row, left, back);
          else move(f32At(pixels, left * inChannels), row, line, back);
        }
      }
    }
    columns += <usize>(last - ow) * step;
    n -= last - ow;
    ow = 0;
    if (++oh == outHeight) {
      oh = 0;
      if (++od == outDepth) {
        od = 0;
        b++;
      }
    }
  }
}

/** A row of taps, one after the other, of which some may lie outside of the image. */
function moveTaps(pixels: usize, row: usize, left: i32, back: bool): void {
  const first = min(firstTap(left, dilationWidth), filterWidth);
  const end = max(endTap(left, dilationWidth, filterWidth, inWidth), first);
  for (let kw = 0; kw < filterWidth; kw++, row = f32At(row, inChannels)) {
    if (kw >= first && kw < end) {
      move(f32At(pixels, (left + kw * dilationWidth) * inChannels), row, inChannels, back);
    } else if (!back) {
      clear(row, inChannels);
    }
  }
}

// Loops, not memory.copy: the runs are tens of bytes, less than what a call out of the module costs.

// @ts-ignore: decorator
@inline
function move(pixels: usize, taps: usize, n: i32, back: bool): void {
  if (back) add(taps, pixels, n);
  else copy(pixels, taps, n);
}

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, n: i32): void {
  const end = f32At(from, n);
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}

// @ts-ignore: decorator
@inline
function add(from: usize, to: usize, n: i32): void {
  const end = f32At(from, n);
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}

// @ts-ignore: decorator
@inline
function clear(to: usize, n: i32): void {
  const end = f32At(to, n);
  for (; to + 16 <= end; to += 16) v128.store(to, f32x4.splat(0));
  for (; to < end; to += 4) store<f32>(to, 0);
}
