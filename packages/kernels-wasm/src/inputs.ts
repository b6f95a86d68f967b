// Checks between a kernel's tensors and the raw memory that it will read: a wrong size here would read or overwrite
// other tensors.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, type WasmBackend } from './backend.ts';
import { KernelInputError } from './errors.ts';

export type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/**
 * The address of an input with this many values, float32 unless another dtype is asked for.
 *
 * @throws {KernelInputError} if it is missing, of another dtype, or of another size.
 */
export function input(
  backend: WasmBackend,
  inputs: Inputs,
  name: string,
  size: number,
  kernel: string,
  dtype: 'float32' | 'int32' = 'float32',
): number {
  const tensor = inputs[name];
  if (tensor === undefined)
    throw new KernelInputError(`${kernel}: expected an input named ${name}, got none.`);
  if (tensor.dtype !== dtype) {
    throw new KernelInputError(
      `${kernel}: expected ${name} to be ${dtype}, got ${tensor.dtype}. Cast it with tf.cast(${name}, '${dtype}').`,
    );
  }
  const actual = tensor.shape.reduce((total, length) => total * length, 1);
  if (actual !== size) {
    throw new KernelInputError(
      `${kernel}: expected ${name} to hold ${size} values, got shape [${tensor.shape.join(', ')}] (${actual}).`,
    );
  }
  return addressOf(backend, tensor);
}

/** The address of an optional input, 0 where it is not given. */
export function optionalInput(
  backend: WasmBackend,
  inputs: Inputs,
  name: string,
  size: number,
  kernel: string,
  dtype?: 'float32' | 'int32',
): number {
  return inputs[name] === undefined ? 0 : input(backend, inputs, name, size, kernel, dtype);
}
