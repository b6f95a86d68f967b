// Clipping of whole numbers. Upstream takes them for the float32 values of the same bits; labels are whole numbers, and some
// losses of tf.layers clip them.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, valuesOf } from './backend.ts';

interface ClipAttributes {
  readonly clipValueMin: number;
  readonly clipValueMax: number;
}

/** inputs {x: int32} -> int32, as on the cpu backend: limits that are no whole numbers lose what is behind the point. */
export const clipIntegers: BackendKernel = {
  kernelName: 'ClipByValue',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const x = call.inputs.x as TensorInfo;
    const { clipValueMin: low, clipValueMax: high } = call.attrs as unknown as ClipAttributes;
    const size = sizeOf(x.shape);
    const output = allocate(backend, [...x.shape], 'ClipByValue', 'int32');
    const { buffer } = valuesOf(backend);
    const from = new Int32Array(buffer, addressOf(backend, x), size);
    const to = new Int32Array(buffer, addressOf(backend, output), size);
    for (let i = 0; i < size; i++) to[i] = Math.min(high, Math.max(low, from[i]!));
    return output;
  },
  leaves: (_, { x }) => x?.dtype !== 'int32',
};
