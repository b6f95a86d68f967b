// Puts a backend's kernels into TensorFlow.js's registry.
import {
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from './errors.ts';
import type { KernelInputs } from './inputs.ts';

/** A kernel to register, and what it leaves to the one of that name that it takes the place of. */
export interface BackendKernel {
  readonly kernelName: string;
  /**
   * Throws an {@link UnsupportedBackendError} before anything else if the backend is not as expected.
   *
   * @param upstream what this kernel takes the place of, for those that only mend how it is called; absent where
   *   upstream has no such kernel.
   */
  readonly kernelFunc: (
    call: Parameters<KernelConfig['kernelFunc']>[0],
    upstream?: KernelConfig['kernelFunc'],
  ) => TensorInfo | TensorInfo[];
  /** Whether upstream's kernel, where there is one, takes calls with these attributes and inputs. Default: it takes none. */
  readonly leaves?: (attributes: object, inputs: KernelInputs) => boolean;
}

const registered = new WeakSet<KernelConfig>();

/**
 * Registers every kernel for a backend, once. Where upstream has a kernel of that name, it stays for what ours leaves,
 * and for a backend that ours does not know: what worked without these kernels must go on working with them.
 */
export function registerKernels(backendName: string, kernels: readonly BackendKernel[]): void {
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

function inPlaceOf(upstream: KernelConfig, { kernelFunc, leaves }: BackendKernel): KernelConfig {
  return {
    ...upstream,
    kernelFunc: (call) => {
      if (leaves?.(call.attrs ?? {}, call.inputs)) return upstream.kernelFunc(call);
      try {
        return kernelFunc(call, upstream.kernelFunc);
      } catch (error) {
        if (!(error instanceof UnsupportedBackendError)) throw error;
        return upstream.kernelFunc(call);
      }
    },
  };
}
