// Sums of slices by their segments: the gradient of every gather, an embedding's included. Upstream's multiplies all of
// the tensor by a mask for each segment, which for an embedding of 10,000 words is 10,000 times the work.
import { type BackendKernel, KernelInputError, sizeOf } from '@rebatch/core/kernels';
import { kernel } from './kernel.ts';

const NAME = 'UnsortedSegmentSum';

/**
 * inputs {x: float32 [rows, ...], segmentIds: int32 [rows]} -> [numSegments, ...]: the sums of the slices of each
 * segment. A slice whose id is no segment is in no sum. Upstream's kernel still gets tensors of other types, and ids of
 * more axes.
 */
export const segmentSum: BackendKernel = {
  ...kernel<{ readonly numSegments: number }>(NAME, ({ attributes, shapeOf, required, integers, output }) => {
    const { numSegments = 0 } = attributes;
    const [rows, ...rest] = shapeOf('x') ?? [];
    if (rows === undefined)
      throw new KernelInputError(`${NAME}: expected x of rank 1 or more, got a scalar.`);
    const width = sizeOf(rest);
    const x = required('x', rows * width);
    const ids = integers('segmentIds', rows);
    const sums = new Float64Array(numSegments * width);
    for (let row = 0; row < rows; row++) {
      const id = ids[row]!;
      if (id >= 0 && id < numSegments) addRow(x, row * width, sums, id * width, width);
    }
    return output([numSegments, ...rest], Float32Array.from(sums));
  }),
  leaves: (_, { x, segmentIds }) =>
    x?.dtype !== 'float32' || segmentIds?.dtype !== 'int32' || segmentIds.shape.length !== 1,
};

function addRow(x: Float32Array, from: number, sums: Float64Array, to: number, width: number): void {
  for (let i = 0; i < width; i++) sums[to + i]! += x[from + i]!;
}
