// Ops that only move values: each value of the result is one of the input, or a constant.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { type Expected, weightedSums } from '../reference.ts';
import { distinct, flatOf, forEachIndex, type Values } from '../values.ts';

type Index = readonly number[];

/** From where each value of the result comes; undefined where it is 0. */
export function moved(
  x: Values,
  shape: readonly number[],
  source: (index: Index) => Index | undefined,
): Expected {
  return weightedSums(shape, 'x', x, (visit) =>
    forEachIndex(shape, (index, to) => {
      const from = source(index);
      if (from !== undefined) visit(to, flatOf(from, x.shape), 1);
    }),
  );
}

export function moving(
  op: string,
  how: string,
  x: Values,
  run: (x: tf.Tensor) => tf.Tensor,
  shape: readonly number[],
  source: (index: Index) => Index | undefined,
): OpCase {
  const expected = () => moved(x, shape, source);
  return { op, how: `[${x.shape}], ${how}`, inputs: { x }, run: ({ x }) => run(x!), expected };
}

export const filled = (shape: readonly number[]) => distinct(shape, -3, 3);

const transposes = [
  [
    [3, 4],
    [1, 0],
  ],
  [
    [2, 3, 4],
    [0, 2, 1],
  ],
  [
    [2, 3, 4],
    [2, 0, 1],
  ],
  [
    [2, 3, 4],
    [1, 0, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 3, 1, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 3, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 2, 1, 0],
  ],
  [
    [2, 3, 2, 2, 3],
    [0, 4, 1, 2, 3],
  ],
  [
    [2, 3, 2, 2, 3],
    [0, 2, 3, 4, 1],
  ],
  [
    [2, 1, 3, 2, 2, 2],
    [5, 0, 3, 1, 4, 2],
  ],
].map(([shape, order]) =>
  moving(
    ...(['transpose', `by [${order}]`, filled(shape!), (x: tf.Tensor) => tf.transpose(x, order)] as const),
    ...([order!.map((axis) => shape![axis]!)] as const),
    (index) => shape!.map((_, axis) => index[order!.indexOf(axis)]!),
  ),
);

const slices = (
  [
    [[7], [2], [3]],
    [
      [3, 5],
      [1, 0],
      [2, 5],
    ],
    [
      [3, 5],
      [0, 2],
      [3, 2],
    ],
    [
      [3, 4, 5],
      [1, 1, 1],
      [2, 2, 3],
    ],
    [
      [3, 4, 5, 2],
      [1, 0, 2, 0],
      [2, 4, 2, 2],
    ],
    [
      [2, 3, 3, 3, 2],
      [1, 1, 0, 1, 0],
      [1, 2, 3, 1, 2],
    ],
  ] as const
).map(([shape, begin, size]) =>
  moving(
    'slice',
    `[${size}] at [${begin}]`,
    filled(shape),
    (x) => tf.slice(x, [...begin], [...size]),
    size,
    (index) => index.map((i, axis) => i + begin[axis]!),
  ),
);

const strided = {
  ...moving(
    ...(['stridedSlice', 'every other row, columns backwards', filled([5, 6])] as const),
    (x) => tf.stridedSlice(x, [0, 5], [5, 0], [2, -2]),
    [3, 3],
    ([i, j]) => [i! * 2, 5 - j! * 2],
  ),
  differentiable: false,
};

const repeats = (
  [
    [[3], [4]],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 3, 4],
      [1, 3, 1],
    ],
    [
      [2, 1, 3, 2],
      [1, 3, 1, 2],
    ],
  ] as const
).map(([shape, times]) =>
  moving(
    ...(['tile', `[${times}] times`, filled(shape), (x: tf.Tensor) => tf.tile(x, [...times])] as const),
    shape.map((length, axis) => length * times[axis]!),
    (index) => index.map((i, axis) => i % shape[axis]!),
  ),
);

const reverses = (
  [
    [[5], [0]],
    [[3, 4], [0]],
    [[3, 4, 2], [1]],
    [
      [2, 3, 4, 2],
      [1, 2],
    ],
  ] as const
).map(([shape, axes]) =>
  moving(
    'reverse',
    `along [${axes}]`,
    filled(shape),
    (x) => tf.reverse(x, [...axes]),
    shape,
    (index) =>
      index.map((i, axis) => ((axes as readonly number[]).includes(axis) ? shape[axis]! - 1 - i : i)),
  ),
);

const broadcasts = (
  [
    [[4], [3, 4]],
    [
      [3, 1],
      [3, 5],
    ],
    [
      [2, 1, 3, 1],
      [2, 4, 3, 2],
    ],
  ] as const
).map(([shape, to]) =>
  moving(
    'broadcastTo',
    `to [${to}]`,
    filled(shape),
    (x) => tf.broadcastTo(x, [...to]),
    to,
    (index) => shape.map((length, axis) => (length === 1 ? 0 : index[to.length - shape.length + axis]!)),
  ),
);

const reshapes = [
  moving(
    'reshape',
    'to [6, 4]',
    filled([2, 3, 4]),
    (x) => tf.reshape(x, [6, 4]),
    [6, 4],
    ([i, j]) => [...[Math.floor(i! / 3), i! % 3, j!]],
  ),
  moving(
    'expandDims',
    'at 1',
    filled([2, 3]),
    (x) => tf.expandDims(x, 1),
    [2, 1, 3],
    ([i, , j]) => [i!, j!],
  ),
  moving(
    'squeeze',
    'at 1',
    filled([2, 1, 3]),
    (x) => tf.squeeze(x, [1]),
    [2, 3],
    ([i, j]) => [i!, 0, j!],
  ),
];

export const arranging: readonly OpCase[] = [
  ...[...transposes, ...slices, strided, ...repeats, ...reverses, ...broadcasts, ...reshapes],
];
