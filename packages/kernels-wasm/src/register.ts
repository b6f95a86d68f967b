// Puts the kernels into TensorFlow.js's registry under the backend name 'wasm'.
import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { batchNormKernels } from './batch-norm.ts';
import { filterGradient, inputGradient } from './conv2d.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-conv2d.ts';
import { UnsupportedBackendError } from './errors.ts';
import { gather } from './gather.ts';
import { identity } from './identity.ts';
import type { WasmKernel } from './kernel.ts';
import { maxPoolGradient } from './max-pool.ts';
import { wasmKernelsSupported } from './module.ts';

const backendName = 'wasm';
const kernels: readonly WasmKernel[] = [
  ...batchNormKernels,
  filterGradient,
  inputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  maxPoolGradient,
  gather,
  identity,
];
export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);
const registered = new WeakSet<KernelConfig>();

/** Registers every kernel, in the place of upstream's where there is one; nothing where SIMD is missing. */
export function registerWasmKernels(): void {
  if (!wasmKernelsSupported()) return;
  for (const kernel of kernels) {
    const current = getKernel(kernel.kernelName, backendName);
    if (current && registered.has(current)) continue;
    // Registering a name twice warns on the console.
    if (current) unregisterKernel(kernel.kernelName, backendName);
    const config = current ? inPlaceOf(current, kernel) : { ...kernel, backendName };
    registered.add(config);
    registerKernel(config);
  }
}

/**
 * `kernel`, with upstream's for what it leaves, and for a backend whose internals it does not know: what worked without
 * this package must go on working with it.
 */
function inPlaceOf(upstream: KernelConfig, { kernelFunc, leaves }: WasmKernel): KernelConfig {
  return {
    ...upstream,
    kernelFunc: (call) => {
      if (leaves?.(call.attrs ?? {}, call.inputs)) return upstream.kernelFunc(call);
      try {
        return kernelFunc(call);
      } catch (error) {
        if (!(error instanceof UnsupportedBackendError)) throw error;
        return upstream.kernelFunc(call);
      }
    },
  };
}
