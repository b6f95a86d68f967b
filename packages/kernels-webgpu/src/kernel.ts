// What every kernel's wrapper has to do around its programs: check the backend and the inputs, and give its output the
// shape that the caller knows.
import {
  type BackendKernel,
  type BatchKernelCall,
  type BatchKernelKey,
  batchKernel,
  type KernelContract,
  sizeOf,
} from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { backendOf, type WebGPUBackend } from './backend.ts';

/** A kernel of the contract with core. */
export function batchNormKernel<K extends BatchKernelKey>(
  key: K,
  run: (call: BatchKernelCall<K, WebGPUBackend>) => KernelContract[K]['output'],
): BackendKernel {
  return batchKernel(key, backendOf, run);
}

/** The same inputs, of rank 1: the backend declares helpers for each by its rank, and has none beyond rank 6. */
export function flattened<I extends object>(inputs: I): I {
  const given = Object.entries(inputs as Readonly<Record<string, TensorInfo | undefined>>);
  const flat = given.map(([name, tensor]) => [name, tensor && shaped(tensor, [sizeOf(tensor.shape)])]);
  return Object.fromEntries(flat) as I;
}

/** The same values in another shape. */
export function shaped({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
  return { dataId, dtype, shape: [...shape] };
}
