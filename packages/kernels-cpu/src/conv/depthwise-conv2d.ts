// Gradients of depthwiseConv2d: output channel c * multiplier + m is made of input channel c alone. The convolution itself
// is upstream's.
import { withDilatedGradient } from '@rebatch/core/kernels';
import { checked } from '../backend.ts';
import type { Call } from '../kernel.ts';
import { convKernel } from './conv2d.ts';
import {
  type ConvAttributes,
  type ConvInfo,
  imageSize,
  inputSize,
  outputSize,
  positionsPerImage,
  tapsInside,
} from './geometry.ts';

type ConvCall = Call<ConvAttributes>;

const filterSize = (info: ConvInfo) => info.filterHeight * info.filterWidth * info.outChannels;

/**
 * Visits the taps of every output position of an image that lie inside of it, with where each begins: its channels in
 * the image, its weights, and the position's output channels in the image's outputs.
 */
function forEachTap(
  info: ConvInfo,
  visit: (inImage: number, inFilter: number, inOutput: number) => void,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  for (let oh = 0; oh < outHeight; oh++) {
    const top = oh * strideHeight - padInfo.top;
    const [firstRow, endRow] = tapsInside(top, dilationHeight, filterHeight, inHeight);
    for (let ow = 0; ow < outWidth; ow++) {
      const left = ow * strideWidth - padInfo.left;
      const [first, end] = tapsInside(left, dilationWidth, filterWidth, inWidth);
      for (let kh = firstRow; kh < endRow; kh++) {
        for (let kw = first; kw < end; kw++) {
          visit(
            ((top + kh * dilationHeight) * inWidth + left + kw * dilationWidth) * inChannels,
            (kh * filterWidth + kw) * outChannels,
            (oh * outWidth + ow) * outChannels,
          );
        }
      }
    }
  }
}

/** The convolution itself, as upstream computes it. */
export const forwardDepthwise = [
  withDilatedGradient('DepthwiseConv2dNative', checked),
  withDilatedGradient('FusedDepthwiseConv2D', checked),
];

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, multiplier]. */
export const depthwiseFilterGradient = convKernel(
  'DepthwiseConv2dNativeBackpropFilter',
  ({ required, output }: ConvCall, info) => {
    const x = required('x', inputSize(info));
    const dy = required('dy', outputSize(info));
    const sums = new Float64Array(filterSize(info));
    const multiplier = info.outChannels / info.inChannels;
    for (let image = 0; image < info.batchSize; image++) {
      const before = image * imageSize(info);
      const outputs = image * positionsPerImage(info) * info.outChannels;
      forEachTap(info, (inImage, inFilter, inOutput) =>
        addToFilter(
          ...([x, before + inImage, dy, outputs + inOutput] as const),
          ...([sums, inFilter, info.inChannels, multiplier] as const),
        ),
      );
    }
    return output(info.filterShape, Float32Array.from(sums));
  },
  true,
);

function addToFilter(
  x: Float32Array,
  inImage: number,
  dy: Float32Array,
  inOutput: number,
  sums: Float64Array,
  inFilter: number,
  channels: number,
  multiplier: number,
): void {
  for (let c = 0, o = 0; c < channels; c++) {
    const value = x[inImage + c]!;
    for (let m = 0; m < multiplier; m++, o++) sums[inFilter + o]! += value * dy[inOutput + o]!;
  }
}

/** inputs {dy: NHWC, filter} -> dx: NHWC. */
export const depthwiseInputGradient = convKernel(
  'DepthwiseConv2dNativeBackpropInput',
  ({ required, output }: ConvCall, info) => {
    const dy = required('dy', outputSize(info));
    const filter = required('filter', filterSize(info));
    const pixels = new Float64Array(imageSize(info));
    const dx = new Float32Array(inputSize(info));
    const multiplier = info.outChannels / info.inChannels;
    for (let image = 0; image < info.batchSize; image++) {
      const outputs = image * positionsPerImage(info) * info.outChannels;
      pixels.fill(0);
      forEachTap(info, (inImage, inFilter, inOutput) =>
        addToPixel(
          ...([dy, outputs + inOutput, filter, inFilter] as const),
          ...([pixels, inImage, info.inChannels, multiplier] as const),
        ),
      );
      dx.set(pixels, image * imageSize(info));
    }
    return output(info.inShape, dx);
  },
  true,
);

function addToPixel(
  dy: Float32Array,
  inOutput: number,
  filter: Float32Array,
  inFilter: number,
  pixels: Float64Array,
  inImage: number,
  channels: number,
  multiplier: number,
): void {
  for (let c = 0, o = 0; c < channels; c++) {
    let sum = 0;
    for (let m = 0; m < multiplier; m++, o++) sum += dy[inOutput + o]! * filter[inFilter + o]!;
    pixels[inImage + c]! += sum;
  }
}
