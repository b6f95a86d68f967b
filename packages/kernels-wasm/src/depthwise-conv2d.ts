// Gradients of depthwiseConv2d, both missing from the WASM backend.
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { addressOf, allocate, kernelsOf, type WasmBackend, withScratch } from './backend.ts';
import { type ConvAttributes, convInfo, inputSize, outputSize, setGeometry } from './convolution.ts';
import { type Inputs, input } from './inputs.ts';

const FILTER = 'DepthwiseConv2dNativeBackpropFilter';
const INPUT = 'DepthwiseConv2dNativeBackpropInput';

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, channelMultiplier]. */
export const depthwiseFilterGradient: KernelConfig = {
  kernelName: FILTER,
  backendName: 'wasm',
  kernelFunc: (call) => {
    const backend = call.backend as WasmBackend;
    const given = call.inputs as Inputs;
    const attributes = call.attrs as unknown as ConvAttributes;
    const info = convInfo(FILTER, attributes, given.x?.shape, attributes.filterShape, true);
    const x = input(backend, given, 'x', inputSize(info), FILTER);
    const dy = input(backend, given, 'dy', outputSize(info), FILTER);
    const kernels = kernelsOf(backend);
    const bytes = 8 * info.filterHeight * info.filterWidth * info.outChannels;
    return withScratch(backend, bytes, FILTER, (sums) => {
      const output = allocate(backend, info.filterShape, FILTER);
      setGeometry(kernels, info);
      kernels.depthwiseFilterGradient(x, dy, addressOf(backend, output), sums, multiplierOf(info));
      return output;
    });
  },
};

/** inputs {dy: NHWC, filter} -> dx: NHWC. */
export const depthwiseInputGradient: KernelConfig = {
  kernelName: INPUT,
  backendName: 'wasm',
  kernelFunc: (call) => {
    const backend = call.backend as WasmBackend;
    const given = call.inputs as Inputs;
    const attributes = call.attrs as unknown as ConvAttributes;
    const info = convInfo(INPUT, attributes, attributes.inputShape, given.filter?.shape, true);
    const dy = input(backend, given, 'dy', outputSize(info), INPUT);
    const filterSize = info.filterHeight * info.filterWidth * info.outChannels;
    const filter = input(backend, given, 'filter', filterSize, INPUT);
    const kernels = kernelsOf(backend);
    const output = allocate(backend, info.inShape, INPUT);
    setGeometry(kernels, info);
    kernels.depthwiseInputGradient(dy, filter, addressOf(backend, output), multiplierOf(info));
    return output;
  },
};

const multiplierOf = (info: ReturnType<typeof convInfo>) => info.outChannels / info.inChannels;
