// Sums of slices by their segments: the gradient of every gather, an embedding's included. Missing upstream.
import { KernelInputError, sizeOf } from '@rebatch/core/kernels';
import { kernel } from './kernel.ts';

const NAME = 'UnsortedSegmentSum';

/**
 * inputs {x: float32 [rows, ...], segmentIds: int32 [rows]} -> [numSegments, ...]: the sums of the slices of each
 * segment. A slice whose id is no segment is in no sum.
 */
export const segmentSum = kernel<{ readonly numSegments: number }>(
  NAME,
  ({ kernels, attributes, shapeOf, required, compute }) => {
    const { numSegments = 0 } = attributes;
    const [rows, ...rest] = shapeOf('x') ?? [];
    const ids = shapeOf('segmentIds');
    if (rows === undefined || ids?.length !== 1) {
      throw new KernelInputError(
        `${NAME}: expected x of rank 1 or more, and segmentIds of rank 1, got shapes [${shapeOf('x')}] and [${ids}].`,
      );
    }
    const width = sizeOf(rest);
    const x = required('x', rows * width);
    const segmentIds = required('segmentIds', rows, 'int32');
    const sumBytes = 8 * width;
    const endBytes = 4 * (numSegments + 1);
    return compute([numSegments, ...rest], sumBytes + endBytes + 4 * rows, (out, sums) => {
      const ends = sums + sumBytes;
      kernels.segmentSum(x, segmentIds, out, ends + endBytes, ends, sums, rows, width, numSegments);
    });
  },
);
