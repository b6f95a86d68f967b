// Gradient of max pooling. Upstream's own is a scalar loop, and took a third of a training step of a small CNN.
import { backend_util, type KernelConfig } from '@tensorflow/tfjs-core';
import { addressOf, allocate, kernelsOf, type WasmBackend } from './backend.ts';
import { type ConvAttributes, inputSize, outputSize, setGeometry } from './convolution.ts';
import { KernelInputError } from './errors.ts';
import { type Inputs, input } from './inputs.ts';

const GRADIENT = 'MaxPoolGrad';

/** inputs {dy: NHWC, input: NHWC} -> the gradient that reaches input. Among equals the first gets it. */
export const maxPoolGradient: KernelConfig = {
  kernelName: GRADIENT,
  backendName: 'wasm',
  kernelFunc: (call) => {
    const backend = call.backend as WasmBackend;
    const given = call.inputs as Inputs;
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as unknown as ConvAttributes & {
      filterSize: number | [number, number];
    };
    const shape = given.input?.shape;
    if (shape?.length !== 4) {
      throw new KernelInputError(`${GRADIENT}: expected an input of rank 4 (NHWC), got shape [${shape}].`);
    }
    const info = backend_util.computePool2DInfo(
      shape as [number, number, number, number],
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const x = input(backend, given, 'input', inputSize(info), GRADIENT);
    const dy = input(backend, given, 'dy', outputSize(info), GRADIENT);
    const kernels = kernelsOf(backend);
    const output = allocate(backend, info.inShape, GRADIENT);
    setGeometry(kernels, info);
    kernels.maxPoolGradient(dy, x, addressOf(backend, output));
    return output;
  },
};
