// The shape of the convolution at hand (NHWC), set by the caller just before each gradient. Globals, because every
// room below needs all of it: the im2col, its inverse, and the depthwise loops.
export let batch: i32 = 0;
export let inHeight: i32 = 0;
export let inWidth: i32 = 0;
export let inChannels: i32 = 0;
export let outHeight: i32 = 0;
export let outWidth: i32 = 0;
export let filterHeight: i32 = 0;
export let filterWidth: i32 = 0;
export let strideHeight: i32 = 0;
export let strideWidth: i32 = 0;
export let dilationHeight: i32 = 0;
export let dilationWidth: i32 = 0;
export let padTop: i32 = 0;
export let padLeft: i32 = 0;

export function setGeometry(
  batch_: i32, inHeight_: i32, inWidth_: i32, inChannels_: i32, outHeight_: i32, outWidth_: i32,
  filterHeight_: i32, filterWidth_: i32, strideHeight_: i32, strideWidth_: i32,
  dilationHeight_: i32, dilationWidth_: i32, padTop_: i32, padLeft_: i32,
): void {
  batch = batch_;
  inHeight = inHeight_;
  inWidth = inWidth_;
  inChannels = inChannels_;
  outHeight = outHeight_;
  outWidth = outWidth_;
  filterHeight = filterHeight_;
  filterWidth = filterWidth_;
  strideHeight = strideHeight_;
  strideWidth = strideWidth_;
  dilationHeight = dilationHeight_;
  dilationWidth = dilationWidth_;
  padTop = padTop_;
  padLeft = padLeft_;
}

/** How many output positions there are. */
export function positions(): i32 {
  return batch * outHeight * outWidth;
}

/** The first filter tap whose input coordinate `start + tap * dilation` is inside, that is not below 0. */
// @ts-ignore: decorator
@inline
export function firstTap(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation;
}

/** One past the last filter tap whose input coordinate is below `size`; may be below firstTap if none is inside. */
// @ts-ignore: decorator
@inline
export function endTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  return start >= size ? 0 : min(taps, (size - start + dilation - 1) / dilation);
}
