// The windows of pooling, one after the other: where each lies, and which of its taps are inside. Pooling is not dilated.
import {
  endTap, filterDepth, filterHeight, filterWidth, firstTap, inChannels, inDepth, inHeight, inWidth, outDepth,
  outHeight, outWidth, padFront, padLeft, padTop, positions, strideDepth, strideHeight, strideWidth,
} from './geometry';

/** The first value of the window; it may lie outside, before the first tap that does not. */
export let corner: i32 = 0;
export let firstLayer: i32 = 0;
export let endLayer: i32 = 0;
export let firstRow: i32 = 0;
export let endRow: i32 = 0;
export let firstColumn: i32 = 0;
export let endColumn: i32 = 0;

let left: i32 = 0;
let b: i32 = 0, od: i32 = 0, oh: i32 = 0, ow: i32 = 0;

export function startWindows(): void {
  left = positions();
  b = 0;
  od = 0;
  oh = 0;
  ow = 0;
}

/** Goes on to the next window, if there is one. */
// @ts-ignore: decorator
@inline
export function nextWindow(): bool {
  if (left-- == 0) return false;
  const front = od * strideDepth - padFront;
  const top = oh * strideHeight - padTop;
  const start = ow * strideWidth - padLeft;
  firstLayer = firstTap(front, 1);
  endLayer = endTap(front, 1, filterDepth, inDepth);
  firstRow = firstTap(top, 1);
  endRow = endTap(top, 1, filterHeight, inHeight);
  firstColumn = firstTap(start, 1);
  endColumn = endTap(start, 1, filterWidth, inWidth);
  corner = (((b * inDepth + front) * inHeight + top) * inWidth + start) * inChannels;
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
  return true;
}

/** How far a tap lies from the corner. */
// @ts-ignore: decorator
@inline
export function tapAt(layer: i32, row: i32, column: i32): i32 {
  return ((layer * inHeight + row) * inWidth + column) * inChannels;
}
