// Slices of a tensor in another order. Upstream's kernel works out the coordinates of every single value, which takes a
// hundred times as long as a copy; shuffling a batch would take longer than normalizing it.
import { type BackendKernel, KernelInputError, sizeOf } from '@rebatch/core/kernels';
import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { kernel } from './kernel.ts';

const GATHER = 'GatherV2';

interface GatherAttributes {
  readonly axis: number;
  readonly batchDims: number;
}

/**
 * inputs {x: float32, indices: int32} -> the slices of x along the axis at these indices. Takes the place of upstream's
 * kernel, which still gets tensors of other types, and empty ones.
 */
export const gather: BackendKernel = {
  ...kernel<GatherAttributes>(GATHER, ({ attributes, shapeOf, required, integers, output }) => {
    const { axis = 0, batchDims = 0 } = attributes;
    const [shape, indicesShape] = [[...(shapeOf('x') ?? [])], [...(shapeOf('indices') ?? [])]];
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      backend_util.segment_util.collectGatherOpShapeInfo(
        { shape } as TensorInfo,
        { shape: indicesShape } as TensorInfo,
        util.parseAxisParam(axis, shape)[0]!,
        batchDims,
      );
    const x = required('x', sizeOf(shape));
    const indices = integers('indices', sizeOf(indicesShape));
    const wrong = indices.findIndex((index) => index < 0 || index >= dimSize);
    if (wrong >= 0) {
      throw new KernelInputError(
        `${GATHER}: expected indices from 0 to ${dimSize - 1}, got ${indices[wrong]} at place ${wrong}.`,
      );
    }
    const perBatch = indices.length / batchSize;
    const values = new Float32Array(batchSize * outerSize * perBatch * sliceSize);
    let to = 0;
    for (let block = 0; block < batchSize * outerSize; block++) {
      const start = block * dimSize * sliceSize;
      const first = Math.floor(block / outerSize) * perBatch;
      for (let i = first; i < first + perBatch; i++, to += sliceSize) {
        copySlice(x, start + indices[i]! * sliceSize, values, to, sliceSize);
      }
    }
    return output(outputShape, values);
  }),
  leaves: (_, { x, indices }) =>
    x?.dtype !== 'float32' || indices?.dtype !== 'int32' || isEmpty(x) || isEmpty(indices),
};

const isEmpty = ({ shape }: TensorInfo) => shape.includes(0);

// Below this a loop is faster than the view that a copy of memory needs.
const SHORT = 64;

function copySlice(from: Float32Array, start: number, to: Float32Array, at: number, length: number): void {
  if (length >= SHORT) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}
