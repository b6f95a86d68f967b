// A call of a kernel by the contract.
import * as tf from '@tensorflow/tfjs-core';
import { KERNELS, type KernelContract, type KernelKey } from './contract.ts';

/**
 * Calls the current backend's kernel; there must be one. Inputs that are undefined are left out.
 *
 * @throws {KernelInputError} for tensors or attributes that are not what the contract says.
 */
export function runKernel<K extends KernelKey>(
  key: K,
  inputs: KernelContract<tf.Tensor>[K]['inputs'],
  attributes: KernelContract[K]['attributes'],
): KernelContract<tf.Tensor>[K]['output'] {
  const given: tf.NamedTensorMap = {};
  for (const name in inputs) {
    const tensor = inputs[name] as tf.Tensor | undefined;
    if (tensor !== undefined) given[name] = tensor;
  }
  return tf
    .engine()
    .runKernel(
      KERNELS[key],
      given,
      attributes as unknown as tf.NamedAttrMap,
    ) as KernelContract<tf.Tensor>[K]['output'];
}
