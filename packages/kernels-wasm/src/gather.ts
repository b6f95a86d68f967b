// Slices of a tensor in another order. Upstream's works out the coordinates of every single value, which takes a hundred
// times as long as a copy. Copying memory is something that JavaScript does as fast as WebAssembly.
import { type BackendKernel, KernelInputError } from '@rebatch/core/kernels';
import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { kernel } from './kernel.ts';

const GATHER = 'GatherV2';

interface GatherAttributes {
  readonly axis: number;
  readonly batchDims: number;
}

/**
 * inputs {x: float32, indices: int32} -> the slices of x along the axis at these indices. Takes the place of the
 * backend's own kernel, which still gets tensors of other types, and empty ones.
 */
export const gather: BackendKernel = {
  ...kernel<GatherAttributes>(GATHER, ({ attributes, shapeOf, required, values, compute }) => {
    const { axis = 0, batchDims = 0 } = attributes;
    const [shape, indicesShape] = [[...(shapeOf('x') ?? [])], [...(shapeOf('indices') ?? [])]];
    const info = backend_util.segment_util.collectGatherOpShapeInfo(
      { shape } as TensorInfo,
      { shape: indicesShape } as TensorInfo,
      util.parseAxisParam(axis, shape)[0]!,
      batchDims,
    );
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
    const x = required('x', util.sizeFromShape(shape));
    const count = util.sizeFromShape(indicesShape);
    const address = required('indices', count, 'int32');
    const indices = new Int32Array(values().buffer, address, count).slice();
    const wrong = indices.findIndex((index) => index < 0 || index >= dimSize);
    if (wrong >= 0) {
      throw new KernelInputError(
        `${GATHER}: expected indices from 0 to ${dimSize - 1}, got ${indices[wrong]} at place ${wrong}.`,
      );
    }
    return compute(outputShape, 0, (out) => {
      const memory = values();
      let to = out / 4;
      for (let block = 0; block < batchSize * outerSize; block++) {
        const start = x / 4 + block * dimSize * sliceSize;
        const first = Math.floor(block / outerSize) * (count / batchSize);
        for (let i = first; i < first + count / batchSize; i++) {
          const from = start + indices[i]! * sliceSize;
          if (sliceSize === 1) memory[to] = memory[from]!;
          else memory.copyWithin(to, from, from + sliceSize);
          to += sliceSize;
        }
      }
    });
  }),
  leaves: (_, { x, indices }) =>
    x?.dtype !== 'float32' || indices?.dtype !== 'int32' || isEmpty(x) || isEmpty(indices),
};

const isEmpty = ({ shape }: TensorInfo) => shape.includes(0);
