// Puts the kernels into TensorFlow.js's registry under the backend name 'cpu'.
import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { batchNormKernels } from './batch-norm.ts';
import { conv2d, filterGradient, inputGradient } from './conv/conv2d.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './conv/depthwise-conv2d.ts';
import { fusedConv2d } from './conv/fused-conv2d.ts';
import { maxPool, maxPoolGradient } from './conv/max-pool.ts';
import { UnsupportedBackendError } from './errors.ts';
import { gather } from './gather.ts';
import type { CpuKernel } from './kernel.ts';

const backendName = 'cpu';
const kernels: readonly CpuKernel[] = [
  ...batchNormKernels,
  conv2d,
  fusedConv2d,
  filterGradient,
  inputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  maxPool,
  maxPoolGradient,
  gather,
];
export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);
const registered = new WeakSet<KernelConfig>();

/** Registers every kernel, in the place of upstream's where there is one. */
export function registerCpuKernels(): void {
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
 * `kernel`, with upstream's for what it leaves, and for a backend whose methods it does not know: what worked without
 * this package must go on working with it.
 */
function inPlaceOf(upstream: KernelConfig, { kernelFunc, leaves }: CpuKernel): KernelConfig {
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
