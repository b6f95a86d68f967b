// Slices at indices, and the sums of slices that are their gradient.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { weightedSums } from '../reference.ts';
import { distinct, flatOf, forEachIndex, indices, sizeOf } from '../values.ts';
import { moved } from './arranging.ts';

const gathers = (
  [
    [[7, 3], 0, [4]],
    [[7, 3], 0, [2, 5]],
    [[3, 5], 1, [4]],
    [[2, 4, 3], 1, [6]],
    [[2, 3, 4, 2], 2, [3]],
  ] as const
).map(([shape, axis, own]): OpCase => {
  const x = distinct(shape, -3, 3);
  const at = indices(own, shape[axis]!);
  const result = [...shape.slice(0, axis), ...own, ...shape.slice(axis + 1)];
  return {
    op: 'gather',
    how: `[${shape}] along ${axis} at [${own}]`,
    inputs: { x, at },
    dtypes: { at: 'int32' },
    run: ({ x, at }) => tf.gather(x!, at!, axis),
    expected: () =>
      moved(x, result, (index) => [
        ...index.slice(0, axis),
        at.data[flatOf(index.slice(axis, axis + own.length), own)]!,
        ...index.slice(axis + own.length),
      ]),
  };
});

export function segmentSumCase(shape: readonly number[], count: number): OpCase {
  const x = distinct(shape, -3, 3);
  const ids = indices([shape[0]!], count);
  const rest = shape.slice(1);
  return {
    op: 'unsortedSegmentSum',
    how: `[${shape}] into ${count}`,
    inputs: { x, ids },
    dtypes: { ids: 'int32' },
    run: ({ x, ids }) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, count),
    expected: () =>
      weightedSums([count, ...rest], 'x', x, (visit) =>
        forEachIndex(shape, ([row, ...place], from) => {
          visit(ids.data[row!]! * sizeOf(rest) + flatOf(place, rest), from, 1);
        }),
      ),
  };
}

const segments = [
  segmentSumCase([7], 3),
  segmentSumCase([6, 4], 3),
  segmentSumCase([5, 2, 3], 4),
  segmentSumCase([9, 17], 2),
];

export const gathering: readonly OpCase[] = [...gathers, ...segments];
