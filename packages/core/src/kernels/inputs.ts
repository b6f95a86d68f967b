// Checks of the tensors that a kernel is given. A kernel reads raw memory: a wrong size would read or overwrite other
// tensors on one backend, and give wrong numbers without an error on another.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { KernelInputError } from './errors.ts';

/** The inputs of a kernel, by name. */
export type KernelInputs = Readonly<Record<string, TensorInfo | undefined>>;

/**
 * The input of that name.
 *
 * @param size how many values it must hold.
 * @throws {KernelInputError} if it is missing, of another dtype, or of another size.
 */
export function requiredInput(
  inputs: KernelInputs,
  name: string,
  size: number,
  kernelName: string,
  dtype: 'float32' | 'int32' = 'float32',
): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) {
    throw new KernelInputError(`${kernelName}: expected an input named ${name}, got none.`);
  }
  if (tensor.dtype !== dtype) {
    throw new KernelInputError(
      `${kernelName}: expected ${name} to be ${dtype}, got ${tensor.dtype}. Cast it with tf.cast(${name}, '${dtype}').`,
    );
  }
  const actual = sizeOf(tensor.shape);
  if (actual !== size) {
    throw new KernelInputError(
      `${kernelName}: expected ${name} to hold ${size} values, got shape [${tensor.shape.join(', ')}] (${actual}).`,
    );
  }
  return tensor;
}

/**
 * Means and variances of so many channels in all groups, with or without what rounding took from the means.
 *
 * @throws {KernelInputError} as {@link requiredInput}.
 */
export function requiredMoments(inputs: KernelInputs, name: string, slots: number, kernelName: string) {
  const withRest = sizeOf(inputs[name]?.shape ?? []) === 3 * slots;
  return requiredInput(inputs, name, (withRest ? 3 : 2) * slots, kernelName);
}

/** How many values a tensor of this shape holds. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return size;
}
