// What every kernel's wrapper has to do around its one call into the module: check the backend and the inputs, borrow
// scratch memory, and make the output.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, kernelsOf, valuesOf, type WasmBackend, withScratch } from './backend.ts';
import { type Inputs, input, optionalInput } from './inputs.ts';
import type { KernelModule } from './module.ts';

/** A kernel to register, and what it leaves to upstream's kernel of that name. */
export interface WasmKernel {
  readonly kernelName: string;
  readonly kernelFunc: KernelConfig['kernelFunc'];
  /** Whether upstream, where it has this kernel, takes calls with these attributes and inputs. Default: it takes none. */
  readonly leaves?: (attributes: object, inputs: Inputs) => boolean;
}

/** One call of a kernel. A: its attributes. */
export interface Call<A> {
  readonly kernels: KernelModule;
  readonly attributes: Partial<A>;
  shapeOf(name: string): readonly number[] | undefined;
  /** The address of a required input of that many values. */
  required(name: string, size: number, dtype?: 'float32' | 'int32'): number;
  /** The same for an optional input; 0 where it is not given. */
  optional(name: string, size: number, dtype?: 'float32' | 'int32'): number;
  /** All memory as float32 values: those at an address are at a quarter of it. Good until the next allocation. */
  values(): Float32Array;
  /** Lends scratch memory to `body` along with the address of a new output, which is returned. */
  compute(
    shape: readonly number[],
    scratchBytes: number,
    body: (out: number, scratch: number) => void,
  ): TensorInfo;
}

/** A kernel that throws an UnsupportedBackendError before anything else if the backend is not as expected. */
export function kernel<A>(kernelName: string, run: (call: Call<A>) => TensorInfo): WasmKernel {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const backend = call.backend as WasmBackend;
    const given = call.inputs as Inputs;
    return run({
      kernels: kernelsOf(backend),
      attributes: (call.attrs ?? {}) as Partial<A>,
      shapeOf: (name) => given[name]?.shape,
      required: (name, size, dtype) => input(backend, given, name, size, kernelName, dtype),
      optional: (name, size, dtype) => optionalInput(backend, given, name, size, kernelName, dtype),
      values: () => valuesOf(backend),
      compute: (shape, scratchBytes, body) =>
        withScratch(backend, scratchBytes, kernelName, (scratch) => {
          const output = allocate(backend, shape, kernelName);
          body(addressOf(backend, output), scratch);
          return output;
        }),
    });
  };
  return { kernelName, kernelFunc };
}
