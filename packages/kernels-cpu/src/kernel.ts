// What every kernel's wrapper has to do around its loops: check the backend and the inputs, and make the output.
import {
  type BackendKernel,
  type BatchKernelCall,
  type BatchKernelKey,
  batchKernel,
  type KernelContract,
  type UpstreamCall,
  upstreamKernel,
} from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type CpuBackend, checked, floatsOf, integersOf } from './backend.ts';

/** A kernel of the contract with core. */
export function batchNormKernel<K extends BatchKernelKey>(
  key: K,
  run: (call: BatchKernelCall<K, CpuBackend>) => KernelContract[K]['output'],
): BackendKernel {
  return batchKernel(key, checked, run);
}

/** One call of a kernel that TensorFlow.js defines. A: its attributes. */
export interface Call<A> extends Pick<UpstreamCall<A, CpuBackend>, 'attributes' | 'shapeOf'> {
  /** The values of a required float32 input, which are to be read only. */
  required(name: string, size: number): Float32Array;
  /** The same for an optional input. */
  optional(name: string, size: number): Float32Array | undefined;
  /** The same for a required int32 input. */
  integers(name: string, size: number): Int32Array;
  /** A tensor of these values, which it takes over. */
  output(shape: readonly number[], values: Float32Array): TensorInfo;
}

/** A kernel that TensorFlow.js defines. */
export function kernel<A>(kernelName: string, run: (call: Call<A>) => TensorInfo): BackendKernel {
  return upstreamKernel<A, CpuBackend>(kernelName, checked, ({ backend, attributes, shapeOf, input }) => {
    const required = (name: string, size: number) => floatsOf(backend, input(name, size));
    return run({
      ...{ attributes, shapeOf, required },
      optional: (name, size) => (shapeOf(name) === undefined ? undefined : required(name, size)),
      integers: (name, size) => integersOf(backend, input(name, size, 'int32')),
      output: (shape, values) => backend.makeTensorInfo([...shape], 'float32', values),
    });
  });
}
