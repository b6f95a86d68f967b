// The shape of the convolution or pooling at hand, set by the caller just before each kernel: of images (NHWC), or of
// volumes (NDHWC). Globals, because all loops over one need all of it: those that read patches, that add them back, that
// go through windows, and the depthwise ones.
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
export let inDepth: i32 = 1;
export let outDepth: i32 = 1;
export let filterDepth: i32 = 1;
export let strideDepth: i32 = 1;
export let padFront: i32 = 0;

/** For images, which are volumes of one layer. */

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
  setDepth(1, 1, 1, 1, 0);
}

/** For volumes, after setGeometry. Along the depth there is no dilation. */
export function setDepth(
  inDepth_: i32, outDepth_: i32, filterDepth_: i32, strideDepth_: i32, padFront_: i32,
): void {
  inDepth = inDepth_;
  outDepth = outDepth_;
  filterDepth = filterDepth_;
  strideDepth = strideDepth_;
  padFront = padFront_;
}

/** How many output positions there are. */
export function positions(): i32 {
  return batch * outDepth * outHeight * outWidth;
}

/** How many values the input holds. */
export function inputSize(): i32 {
  return batch * inDepth * inHeight * inWidth * inChannels;
}

/** How many values of the input an output position sees. */
export function patchSize(): i32 {
  return filterDepth * filterHeight * filterWidth * inChannels;
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
