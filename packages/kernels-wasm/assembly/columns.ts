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

/** Either of the above; `back` is known where this is inlined, so each has a loop of its own. */
// @ts-ignore: decorator
@inline
function movePatches(image: usize, columns: usize, width: i32, from: i32, n: i32, back: bool): void {
  const tap = inChannels;
  const line = filterWidth * tap;
  let ow = from % outWidth;
  let oh = (from / outWidth) % outHeight;
  let od = (from / (outWidth * outHeight)) % outDepth;
  let b = from / (outWidth * outHeight * outDepth);
  for (let p = 0; p < n; p++) {
    let row = f32At(columns, p * width);
    const top = oh * strideHeight - padTop;
    const left = ow * strideWidth - padLeft;
    // Taps [first, end) are inside of the image's width.
    const first = min(firstTap(left, dilationWidth), filterWidth);
    const end = max(endTap(left, dilationWidth, filterWidth, inWidth), first);
    for (let kd = 0; kd < filterDepth; kd++) {
      const id = od * strideDepth - padFront + kd;
      if (id < 0 || id >= inDepth) {
        if (!back) clear(row, line * filterHeight);
        row = f32At(row, line * filterHeight);
        continue;
      }
      for (let kh = 0; kh < filterHeight; kh++) {
        const ih = top + kh * dilationHeight;
        if (ih >= 0 && ih < inHeight && first < end) {
          const pixel = ((b * inDepth + id) * inHeight + ih) * inWidth + left + first * dilationWidth;
          if (!back) clear(row, first * tap);
          if (dilationWidth == 1) {
            move(f32At(image, pixel * tap), f32At(row, first * tap), (end - first) * tap, back);
          } else {
            for (let kw = first, at = pixel; kw < end; kw++, at += dilationWidth) {
              move(f32At(image, at * tap), f32At(row, kw * tap), tap, back);
            }
          }
          if (!back) clear(f32At(row, end * tap), (filterWidth - end) * tap);
        } else if (!back) {
          clear(row, line);
        }
        row = f32At(row, line);
      }
    }
    if (++ow == outWidth) {
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
}

// @ts-ignore: decorator
@inline
function move(pixels: usize, taps: usize, n: i32, back: bool): void {
  if (back) add(taps, pixels, n);
  else copy(pixels, taps, n);
}

// Loops, not memory.copy: the runs are tens of bytes, less than what a call out of the module costs.

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(f32At(to, i), v128.load(f32At(from, i)));
  for (; i < n; i++) store<f32>(f32At(to, i), load<f32>(f32At(from, i)));
}

// @ts-ignore: decorator
@inline
function clear(to: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(f32At(to, i), f32x4.splat(0));
  for (; i < n; i++) store<f32>(f32At(to, i), 0);
}

// @ts-ignore: decorator
@inline
function add(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(f32At(to, i), f32x4.add(v128.load(f32At(to, i)), v128.load(f32At(from, i))));
  }
  for (; i < n; i++) store<f32>(f32At(to, i), load<f32>(f32At(to, i)) + load<f32>(f32At(from, i)));
}
