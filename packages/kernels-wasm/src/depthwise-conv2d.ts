// Gradients of depthwiseConv2d, both missing from the WASM backend.
import { type ConvInfo, gradientKernel, inputSize, outputSize } from './convolution.ts';

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, channelMultiplier]. */
export const depthwiseFilterGradient = gradientKernel(
  'DepthwiseConv2dNativeBackpropFilter',
  true,
  ({ kernels, required, compute }, info) => {
    const x = required('x', inputSize(info));
    const dy = required('dy', outputSize(info));
    return compute(info.filterShape, 8 * filterSize(info), (out, sums) =>
      kernels.depthwiseFilterGradient(x, dy, out, sums, multiplierOf(info)),
    );
  },
);

/** inputs {dy: NHWC, filter} -> dx: NHWC. */
export const depthwiseInputGradient = gradientKernel(
  'DepthwiseConv2dNativeBackpropInput',
  true,
  ({ kernels, required, compute }, info) => {
    const dy = required('dy', outputSize(info));
    const filter = required('filter', filterSize(info));
    return compute(info.inShape, 0, (dx) =>
      kernels.depthwiseInputGradient(dy, filter, dx, multiplierOf(info)),
    );
  },
);

const filterSize = (info: ConvInfo) => info.filterHeight * info.filterWidth * info.outChannels;
const multiplierOf = (info: ConvInfo) => info.outChannels / info.inChannels;
