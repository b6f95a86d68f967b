// Gradients of conv2d. The WASM backend has none for the filter, so nothing with a convolution trains on it; and its
// own for the input is a naive loop nest.
import { getKernel, type KernelConfig } from '@tensorflow/tfjs-core';
import { addressOf, allocate, kernelsOf, type WasmBackend, withScratch } from './backend.ts';
import {
  type ConvAttributes,
  convInfo,
  inputSize,
  isPointwise,
  outputSize,
  patchLength,
  roundUp4,
  setGeometry,
  tileLength,
} from './convolution.ts';
import { type Inputs, input } from './inputs.ts';

const FILTER = 'Conv2DBackpropFilter';
const INPUT = 'Conv2DBackpropInput';

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, outChannels]. */
export function filterGradientKernel(): KernelConfig {
  return {
    kernelName: FILTER,
    backendName: 'wasm',
    kernelFunc: (call) => {
      const backend = call.backend as WasmBackend;
      const given = call.inputs as Inputs;
      const attributes = call.attrs as unknown as ConvAttributes;
      const info = convInfo(FILTER, attributes, given.x?.shape, attributes.filterShape, false);
      const x = input(backend, given, 'x', inputSize(info), FILTER);
      const dy = input(backend, given, 'dy', outputSize(info), FILTER);
      const { outChannels } = info;
      const depth = roundUp4(patchLength(info));
      const wide = roundUp4(outChannels);
      const tile = tileLength(info, depth);
      const direct = isPointwise(info) && depth === info.inChannels;
      const columnBytes = direct ? 0 : 4 * tile * depth;
      const paddedBytes = wide === outChannels ? 0 : 4 * tile * wide;
      const bytes = columnBytes + paddedBytes + 8 * depth * wide;
      const kernels = kernelsOf(backend);
      return withScratch(backend, bytes, FILTER, (scratch) => {
        const output = allocate(backend, info.filterShape, FILTER);
        const columns = columnBytes === 0 ? 0 : scratch;
        const padded = paddedBytes === 0 ? 0 : scratch + columnBytes;
        const sums = scratch + columnBytes + paddedBytes;
        setGeometry(kernels, info);
        kernels.convFilterGradient(
          ...[x, dy, addressOf(backend, output), columns, padded, sums],
          ...[outChannels, depth, wide, tile],
        );
        return output;
      });
    },
  };
}

/**
 * inputs {dy: NHWC, filter} -> dx: NHWC. Takes the place of the backend's own kernel, which still gets what this one
 * does not do (NCHW), so that nothing that worked stops working.
 */
export function inputGradientKernel(): KernelConfig {
  const upstream = getKernel(INPUT, 'wasm');
  return {
    kernelName: INPUT,
    backendName: 'wasm',
    ...(upstream?.setupFunc && { setupFunc: upstream.setupFunc }),
    kernelFunc: (call) => {
      const backend = call.backend as WasmBackend;
      const given = call.inputs as Inputs;
      const attributes = call.attrs as unknown as ConvAttributes;
      if (attributes.dataFormat === 'NCHW' && upstream !== undefined) return upstream.kernelFunc(call);
      const info = convInfo(INPUT, attributes, attributes.inputShape, given.filter?.shape, false);
      const dy = input(backend, given, 'dy', outputSize(info), INPUT);
      const filter = input(backend, given, 'filter', patchLength(info) * info.outChannels, INPUT);
      const { outChannels } = info;
      const depth = roundUp4(patchLength(info));
      const tile = tileLength(info, depth);
      const direct = isPointwise(info) && depth === info.inChannels;
      const panelBytes = 4 * depth * outChannels;
      const columnBytes = direct ? 0 : 4 * tile * depth;
      const kernels = kernelsOf(backend);
      return withScratch(backend, panelBytes + columnBytes, INPUT, (panels) => {
        const output = allocate(backend, info.inShape, INPUT);
        const columns = direct ? 0 : panels + panelBytes;
        setGeometry(kernels, info);
        kernels.convInputGradient(
          ...[dy, filter, addressOf(backend, output), panels, columns],
          ...[outChannels, depth, tile],
        );
        return output;
      });
    },
  };
}
