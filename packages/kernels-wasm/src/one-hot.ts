// One-hot vectors of float32 or bool. Upstream writes int32 whatever it is asked for: 1 as an int32 is 1.4e-45 as a
// float32, and four bools.
import { type BackendKernel, requiredInput, sizeOf } from '@rebatch/core/kernels';
import { addressOf, allocate, checked, valuesOf } from './backend.ts';

interface OneHotAttributes {
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly dtype: 'float32' | 'bool';
}

/** inputs {indices: int32} -> [...indices, depth]. An index outside of the depth has no value that is on. */
export const oneHot: BackendKernel = {
  kernelName: 'OneHot',
  kernelFunc: ({ inputs, attrs, backend: any }) => {
    const backend = checked(any);
    const { depth, onValue, offValue, dtype } = attrs as unknown as OneHotAttributes;
    const shape = inputs.indices!.shape;
    const count = sizeOf(shape);
    const indices = requiredInput(inputs, 'indices', count, 'OneHot', 'int32');
    const output = allocate(backend, [...shape, depth], 'OneHot', dtype);
    const { buffer } = valuesOf(backend);
    const places = new Int32Array(buffer, addressOf(backend, indices), count);
    const Vectors = dtype === 'bool' ? Uint8Array<ArrayBufferLike> : Float32Array<ArrayBufferLike>;
    const vectors = new Vectors(buffer, addressOf(backend, output), count * depth).fill(offValue);
    for (let i = 0; i < count; i++) {
      const place = places[i]!;
      if (place >= 0 && place < depth) vectors[i * depth + place] = onValue;
    }
    return output;
  },
  leaves: (attributes, { indices }) =>
    !['float32', 'bool'].includes((attributes as OneHotAttributes).dtype) || indices?.dtype !== 'int32',
};
