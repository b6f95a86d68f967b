// Gradients of conv2d. The WASM backend has none for the filter, so nothing with a convolution trains on it; and its
// own for the input is a naive loop nest.
import type { BackendKernel } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  type ConvAttributes,
  type ConvInfo,
  gradientKernel,
  inputSize,
  isPointwise,
  outputSize,
  patchLength,
  roundUp4,
  tileLength,
  type VolumeInfo,
} from './convolution.ts';
import type { Call } from './kernel.ts';
import { takesWinograd, winogradFilterGradient, winogradInputGradient } from './winograd.ts';

/** The gradient for the filter, of images or of volumes. */
export function computeFilterGradient(call: Call<unknown>, info: ConvInfo | VolumeInfo): TensorInfo {
  const { kernels, required, compute } = call;
  const x = required('x', inputSize(info));
  const dy = required('dy', outputSize(info));
  if (takesWinograd(info, 'filter')) return winogradFilterGradient(call, info, [x, dy]);
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
}

/** The gradient for the input, of images or of volumes. */
export function computeInputGradient(call: Call<unknown>, info: ConvInfo | VolumeInfo): TensorInfo {
  const { kernels, required, compute } = call;
  const { outChannels } = info;
  const dy = required('dy', outputSize(info));
  const patch = patchLength(info);
  const filter = required('filter', patch * outChannels);
  if (takesWinograd(info, 'input')) return winogradInputGradient(call, info, [dy, filter]);
  const direct = isPointwise(info) && patch % 4 === 0;
  // A last panel that is half a panel takes longer than one that is filled up with zeros.
  const depth = direct ? patch : (patch + 7) & ~7;
  const tile = tileLength(info, depth);
  const panelBytes = 4 * depth * outChannels;
  const columnBytes = direct ? 0 : 4 * tile * depth;
  return compute(info.inShape, panelBytes + columnBytes, (dx, panels) => {
    const columns = direct ? 0 : panels + panelBytes;
    kernels.convInputGradient(dy, filter, dx, panels, columns, outChannels, depth, tile);
  });
}

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, outChannels]. */
export const filterGradient = gradientKernel('Conv2DBackpropFilter', false, computeFilterGradient);

/**
 * inputs {dy: NHWC, filter} -> dx: NHWC. Takes the place of the backend's own kernel, which still gets what this one
 * does not do (NCHW), so that nothing that worked stops working.
 */
export const inputGradient: BackendKernel = {
  ...gradientKernel('Conv2DBackpropInput', false, computeInputGradient),
  leaves: (attributes) => (attributes as ConvAttributes).dataFormat === 'NCHW',
};
