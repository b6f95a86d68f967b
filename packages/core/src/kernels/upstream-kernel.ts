// Makes a kernel that TensorFlow.js defines, and that the contract does not know, from a backend's code for it. The code
// asks for each input that it needs, and is given it checked.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type KernelInputs, requiredInput } from './inputs.ts';
import type { BackendKernel } from './register.ts';

/** One call of such a kernel. A: its attributes, of which calls may leave out some. B: what is needed of the backend. */
export interface UpstreamCall<A, B> {
  readonly kernelName: string;
  readonly backend: B;
  readonly attributes: Partial<A>;
  /** The shape of an input; undefined if it is not given. */
  shapeOf(name: string): readonly number[] | undefined;
  /**
   * A required input of that many values.
   *
   * @throws {KernelInputError} if it is missing, of another dtype, or of another size.
   */
  input(name: string, size: number, dtype?: 'float32' | 'int32'): TensorInfo;
}

/**
 * A kernel of that name, to be registered.
 *
 * @param checkBackend gives what `run` needs of the backend, or throws an {@link UnsupportedBackendError}.
 * @param run computes the output.
 */
export function upstreamKernel<A, B>(
  kernelName: string,
  checkBackend: (backend: unknown) => B,
  run: (call: UpstreamCall<A, B>) => TensorInfo,
): BackendKernel {
  return {
    kernelName,
    kernelFunc: (call) => run(upstreamCall(kernelName, checkBackend, call)),
  };
}

/** What a kernel of TensorFlow.js's own is called with, its backend checked. @throws what `checkBackend` throws. */
export function upstreamCall<A, B>(
  kernelName: string,
  checkBackend: (backend: unknown) => B,
  call: Parameters<BackendKernel['kernelFunc']>[0],
): UpstreamCall<A, B> {
  const inputs = call.inputs as KernelInputs;
  return {
    kernelName,
    backend: checkBackend(call.backend),
    attributes: (call.attrs ?? {}) as Partial<A>,
    shapeOf: (name) => inputs[name]?.shape,
    input: (name, size, dtype) => requiredInput(inputs, name, size, kernelName, dtype),
  };
}
