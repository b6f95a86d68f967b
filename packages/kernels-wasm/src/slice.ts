// Parts of a tensor that lie together: one copy, of the part. Upstream reads all of the tensor for each part, so that to take a
// batch from a data set costs as much as the data set.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import { slice_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, valuesOf, type WasmBackend } from './backend.ts';

interface SliceAttributes {
  readonly begin: number | number[];
  readonly size: number | number[];
}

interface UnpackAttributes {
  readonly axis: number;
}

/** inputs {x} -> the part of x that begins at `begin`. Parts that do not lie together or that the
 * tensor does not have, and strings, are upstream's. */
export const slice: BackendKernel = {
  kernelName: 'Slice',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const x = call.inputs.x as TensorInfo;
    const { begin, size } = call.attrs as unknown as SliceAttributes;
    const [from, shape] = slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    const first = slice_util.computeFlatOffset(from, util.computeStrides(x.shape));
    return part(backend, 'Slice', x, first, shape);
  },
  leaves: (attributes, { x }) => {
    if (x === undefined || !isKept(x.dtype)) return true;
    const { begin, size } = attributes as SliceAttributes;
    const [from, shape] = slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    if (from.some((first, axis) => first < 0 || first + shape[axis]! > x.shape[axis]!)) return true;
    return x.shape.length === 0 || !slice_util.isSliceContinous(x.shape, from, shape);
  },
};

/** inputs {value} -> its parts along an axis, where none before it is longer than 1. Others are upstream's. */
export const unpack: BackendKernel = {
  kernelName: 'Unpack',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const value = call.inputs.value as TensorInfo;
    const [axis] = util.parseAxisParam((call.attrs as unknown as UnpackAttributes).axis, value.shape);
    const shape = value.shape.filter((_, i) => i !== axis);
    const size = sizeOf(shape);
    const parts: TensorInfo[] = [];
    try {
      for (let i = 0; i < value.shape[axis!]!; i++) {
        parts.push(part(backend, 'Unpack', value, i * size, [...shape]));
      }
    } catch (error) {
      for (const { dataId } of parts) backend.disposeData(dataId, true);
      throw error;
    }
    return parts;
  },
  leaves: (attributes, { value }) => {
    if (value === undefined || !isKept(value.dtype)) return true;
    const { axis } = attributes as UnpackAttributes;
    const before = value.shape.slice(0, axis < 0 ? axis + value.shape.length : axis);
    return sizeOf(before) !== 1;
  },
};

/** Whether values of that kind are in the backend's memory. */
function isKept(dtype: string): dtype is 'float32' | 'int32' | 'bool' {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

/** So many values as the shape has, from the first one on. */
function part(
  backend: WasmBackend,
  kernelName: string,
  x: TensorInfo,
  first: number,
  shape: number[],
): TensorInfo {
  const dtype = x.dtype as 'float32' | 'int32' | 'bool';
  const output = allocate(backend, shape, kernelName, dtype);
  const bytes = dtype === 'bool' ? 1 : 4;
  const from = addressOf(backend, x) + first * bytes;
  const { buffer } = valuesOf(backend);
  new Uint8Array(buffer).copyWithin(addressOf(backend, output), from, from + sizeOf(shape) * bytes);
  return output;
}
