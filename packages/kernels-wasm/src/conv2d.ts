// Gradients of conv2d. The WASM backend has none for the filter, so nothing with a convolution trains on it; and its
// own for the input is a naive loop nest.
import {
  type ConvAttributes,
  gradientKernel,
  inputSize,
  isPointwise,
  outputSize,
  patchLength,
  roundUp4,
  tileLength,
} from './convolution.ts';
import type { WasmKernel } from './kernel.ts';

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, outChannels]. */
export const filterGradient = gradientKernel(
  'Conv2DBackpropFilter',
  false,
  ({ kernels, required, compute }, info) => {
    const x = required('x', inputSize(info));
    const dy = required('dy', outputSize(info));
    const { outChannels } = info;
    const depth = roundUp4(patchLength(info));
    const wide = roundUp4(outChannels);
    const tile = tileLength(info, depth);
    const direct = isPointwise(info) && depth === info.inChannels;
    const columnBytes = direct ? 0 : 4 * tile * depth;
    const paddedBytes = wide === outChannels ? 0 : 4 * tile * wide;
    const bytes = columnBytes + paddedBytes + 8 * depth * wide;
    return compute(info.filterShape, bytes, (out, scratch) => {
      const columns = columnBytes === 0 ? 0 : scratch;
      const padded = paddedBytes === 0 ? 0 : scratch + columnBytes;
      const sums = scratch + columnBytes + paddedBytes;
      kernels.convFilterGradient(x, dy, out, columns, padded, sums, outChannels, depth, wide, tile);
    });
  },
);

/**
 * inputs {dy: NHWC, filter} -> dx: NHWC. Takes the place of the backend's own kernel, which still gets what this one
 * does not do (NCHW), so that nothing that worked stops working.
 */
export const inputGradient: WasmKernel = {
  ...gradientKernel('Conv2DBackpropInput', false, ({ kernels, required, compute }, info) => {
    const { outChannels } = info;
    const dy = required('dy', outputSize(info));
    const filter = required('filter', patchLength(info) * outChannels);
    const depth = roundUp4(patchLength(info));
    const tile = tileLength(info, depth);
    const direct = isPointwise(info) && depth === info.inChannels;
    const panelBytes = 4 * depth * outChannels;
    const columnBytes = direct ? 0 : 4 * tile * depth;
    return compute(info.inShape, panelBytes + columnBytes, (dx, panels) => {
      const columns = direct ? 0 : panels + panelBytes;
      kernels.convInputGradient(dy, filter, dx, panels, columns, outChannels, depth, tile);
    });
  }),
  leaves: (attributes) => (attributes as ConvAttributes).dataFormat === 'NCHW',
};
