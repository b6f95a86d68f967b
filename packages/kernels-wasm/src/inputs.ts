// Checks between a kernel's tensors and the raw memory that it will read: a wrong size here would read or overwrite
// other tensors.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, type WasmBackend } from './backend.ts';
import { KernelInputError } from './errors.ts';

export type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/**
 * The address of a float32 input with this many values.
 *
 * @throws {KernelInputError} if it is missing, of another dtype, or of another size.
 */
export function input(
  backend: WasmBackend,
  inputs: Inputs,
  name: string,
  size: number,
  kernel: string,
): number {
  const tensor = inputs[name];
  if (tensor === undefined)
    throw new KernelInputError(`${kernel}: expected an input named ${name}, got none.`);
  if (tensor.dtype !== 'float32') {
    throw new KernelInputError(
      `${kernel}: expected ${name} to be float32, got ${tensor.dtype}. Cast it with tf.cast(${name}, 'float32').`,
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
): number {
  return inputs[name] === undefined ? 0 : input(backend, inputs, name, size, kernel);
}
