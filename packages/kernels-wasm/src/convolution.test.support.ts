// Convolutions of images by their definition, in float64.
import type { backend_util } from '@tensorflow/tfjs-core';

type Info = ReturnType<typeof backend_util.computeConv2DInfo>;

export interface ConvolutionOptions {
  /** Added to each output channel. */
  readonly bias?: ArrayLike<number>;
  /** Whether each output channel is made of one input channel. */
  readonly depthwise?: boolean;
}

/** What lies outside of the input counts as zeros, as far as the output of `info` reaches. */
export function convolve(
  info: Info,
  x: ArrayLike<number>,
  filter: ArrayLike<number>,
  { bias, depthwise = false }: ConvolutionOptions = {},
): Float64Array {
  const { outChannels, outHeight, outWidth, inChannels, inHeight, inWidth, padInfo } = info;
  const perChannel = depthwise ? outChannels / inChannels : outChannels;
  const y = new Float64Array(info.batchSize * outHeight * outWidth * outChannels);
  for (let at = 0; at < y.length; at++) {
    const k = at % outChannels;
    const column = Math.floor(at / outChannels) % outWidth;
    const row = Math.floor(at / (outChannels * outWidth)) % outHeight;
    const b = Math.floor(at / (outChannels * outWidth * outHeight));
    const [first, end] = depthwise
      ? [Math.floor(k / perChannel), Math.floor(k / perChannel) + 1]
      : [0, inChannels];
    let sum = bias?.[k] ?? 0;
    for (let i = 0; i < info.filterHeight; i++) {
      for (let j = 0; j < info.filterWidth; j++) {
        const h = row * info.strideHeight - padInfo.top + i;
        const w = column * info.strideWidth - padInfo.left + j;
        if (h < 0 || h >= inHeight || w < 0 || w >= inWidth) continue;
        const from = ((b * inHeight + h) * inWidth + w) * inChannels;
        const tap = (i * info.filterWidth + j) * inChannels;
        for (let c = first; c < end; c++)
          sum += x[from + c]! * filter[(tap + c) * perChannel + (k % perChannel)]!;
      }
    }
    y[at] = sum;
  }
  return y;
}
