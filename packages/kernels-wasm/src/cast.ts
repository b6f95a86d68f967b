// Numbers as bools. Upstream keeps the lowest byte of their whole part: 0.5 is false, 2 is neither true nor false. And casts
// to what a tensor is already, as in the gradient of relu, without the copy that upstream makes.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, valuesOf } from './backend.ts';

interface CastAttributes {
  readonly dtype?: string;
}

/**
 * inputs {x: float32 or int32} -> 1 where it is not 0, as bool; or, of x's own dtype, the same values in the same memory.
 * Other casts are upstream's.
 */
export const cast: BackendKernel = {
  kernelName: 'Cast',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const x = call.inputs.x as TensorInfo;
    if ((call.attrs as unknown as CastAttributes).dtype === x.dtype) {
      backend.incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    }
    const size = sizeOf(x.shape);
    const output = allocate(backend, [...x.shape], 'Cast', 'bool');
    const { buffer } = valuesOf(backend);
    const address = addressOf(backend, x);
    const values =
      x.dtype === 'int32' ? new Int32Array(buffer, address, size) : new Float32Array(buffer, address, size);
    const bools = new Uint8Array(buffer, addressOf(backend, output), size);
    for (let i = 0; i < size; i++) bools[i] = values[i] === 0 ? 0 : 1;
    return output;
  },
  leaves: (attributes, { x }) => {
    const { dtype } = attributes as CastAttributes;
    if (x?.dtype !== 'float32' && x?.dtype !== 'int32') return true;
    return dtype !== 'bool' && dtype !== x.dtype;
  },
};
