// What every kernel's wrapper has to do around its one call into the module: check the backend and the inputs, borrow
// scratch memory, and make the output.
import {
  type BackendKernel,
  type BatchKernelCall,
  type BatchKernelKey,
  batchKernel,
  type KernelContract,
  type UpstreamCall,
  upstreamCall,
} from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  addressOf,
  allocate,
  checked,
  kernelsOf,
  valuesOf,
  type WasmBackend,
  withScratch,
} from './backend.ts';
import type { KernelModule } from './module.ts';

/** A kernel of the contract with core. */
export function batchNormKernel<K extends BatchKernelKey>(
  key: K,
  run: (call: BatchKernelCall<K, WasmBackend>) => KernelContract[K]['output'],
): BackendKernel {
  return batchKernel(key, checked, run);
}

/** Lends scratch memory to `body` along with the address of a new output, which is returned. */
export function compute(
  {
    backend,
    kernelName,
    shape,
  }: Pick<BatchKernelCall<'moments', WasmBackend>, 'backend' | 'kernelName' | 'shape'>,
  scratchBytes: number,
  body: (out: number, scratch: number) => void,
): TensorInfo {
  return withScratch(backend, scratchBytes, kernelName, (scratch) => {
    const output = allocate(backend, shape, kernelName);
    body(addressOf(backend, output), scratch);
    return output;
  });
}

/** One call of a kernel that TensorFlow.js defines. A: its attributes. */
export interface Call<A> extends Pick<UpstreamCall<A, WasmBackend>, 'attributes' | 'shapeOf'> {
  readonly kernels: KernelModule;
  /** The address of a required input of that many values. */
  required(name: string, size: number, dtype?: 'float32' | 'int32'): number;
  /** All memory as float32 values: those at an address are at a quarter of it. Good until the next allocation. */
  values(): Float32Array;
  /** Lends scratch memory to `body` along with the address of a new output, which is returned. */
  compute(shape: number[], scratchBytes: number, body: (out: number, scratch: number) => void): TensorInfo;
}

/** A kernel that TensorFlow.js defines. */
export function kernel<A>(kernelName: string, run: (call: Call<A>) => TensorInfo): BackendKernel {
  return { kernelName, kernelFunc: (call) => run(callOf<A>(call, kernelName)) };
}

/**
 * What TensorFlow.js calls a kernel with.
 *
 * @throws {UnsupportedBackendError} if the backend is not built as the kernels expect.
 */
export function callOf<A>(call: Parameters<BackendKernel['kernelFunc']>[0], kernelName: string): Call<A> {
  const { backend, attributes, shapeOf, input } = upstreamCall<A, WasmBackend>(kernelName, checked, call);
  return {
    ...{ kernels: kernelsOf(backend), attributes, shapeOf },
    required: (name, size, dtype) => addressOf(backend, input(name, size, dtype)),
    values: () => valuesOf(backend),
    compute: (shape, scratchBytes, body) => compute({ backend, kernelName, shape }, scratchBytes, body),
  };
}
