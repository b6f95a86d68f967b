// Checks between a kernel's tensors and the view that it will read them by: WebGPU clamps an index out of range, so a
// wrong size here would give wrong numbers without an error.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { KernelInputError } from './errors.ts';

export type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/**
 * An input with this many values, flat; float32 unless another dtype is asked for.
 *
 * @throws {KernelInputError} if it is missing, of another dtype, or of another size.
 */
export function requiredInput(
  inputs: Inputs,
  name: string,
  size: number,
  kernel: string,
  dtype: 'float32' | 'int32' = 'float32',
): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) {
    throw new KernelInputError(`${kernel}: expected an input named ${name}, got none.`);
  }
  if (tensor.dtype !== dtype) {
    throw new KernelInputError(
      `${kernel}: expected ${name} to be ${dtype}, got ${tensor.dtype}. Cast it with tf.cast(${name}, '${dtype}').`,
    );
  }
  const actual = sizeOf(tensor.shape);
  if (actual !== size) {
    throw new KernelInputError(
      `${kernel}: expected ${name} to hold ${size} values, got shape [${tensor.shape.join(', ')}] (${actual}).`,
    );
  }
  // The backend declares helpers for each input by its rank, and has none beyond rank 6.
  return { ...tensor, dataId: tensor.dataId, shape: [size], dtype };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}
