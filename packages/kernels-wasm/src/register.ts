// Puts the kernels into TensorFlow.js's registry under the backend name 'wasm'.
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { batchNormKernels } from './batch-norm.ts';
import { filterGradientKernel, inputGradientKernel } from './conv2d.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-conv2d.ts';
import { identity } from './identity.ts';
import { maxPoolGradient } from './max-pool.ts';
import { wasmKernelsSupported } from './module.ts';

/** Registers every kernel, in the place of upstream's where there is one; nothing where SIMD is missing. */
export function registerWasmKernels(): void {
  if (!wasmKernelsSupported()) return;
  const kernels = [
    ...batchNormKernels,
    filterGradientKernel(),
    inputGradientKernel(),
    depthwiseFilterGradient,
    depthwiseInputGradient,
    maxPoolGradient,
    identity,
  ];
  for (const kernel of kernels) {
    // Registering a name twice warns on the console.
    if (getKernel(kernel.kernelName, kernel.backendName))
      unregisterKernel(kernel.kernelName, kernel.backendName);
    registerKernel(kernel);
  }
}
