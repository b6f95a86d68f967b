// Reversing of bools: masks. Upstream moves four bytes a value, where a bool has one.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, valuesOf } from './backend.ts';

/** inputs {x: bool} -> the same backwards along some axes. Tensors of other types are upstream's. */
export const reverseBools: BackendKernel = {
  kernelName: 'Reverse',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const x = call.inputs.x as TensorInfo;
    const { dims } = call.attrs as unknown as { readonly dims: number | number[] };
    const reversed = util.parseAxisParam(dims, x.shape);
    const size = sizeOf(x.shape);
    const output = allocate(backend, [...x.shape], 'Reverse', 'bool');
    const { buffer } = valuesOf(backend);
    const from = new Uint8Array(buffer, addressOf(backend, x), size);
    const to = new Uint8Array(buffer, addressOf(backend, output), size);
    const strides = [...util.computeStrides(x.shape), 1];
    for (let i = 0; i < size; i++) {
      let source = i;
      for (const axis of reversed) {
        const [length, stride] = [x.shape[axis]!, strides[axis]!];
        source += (length - 1 - 2 * (Math.floor(i / stride) % length)) * stride;
      }
      to[i] = from[source]!;
    }
    return output;
  },
  leaves: (_, { x }) => x?.dtype !== 'bool',
};
