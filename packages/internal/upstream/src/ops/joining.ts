// Ops with several inputs or outputs that only move values, and those that write at indices.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { byDifferences, fixed } from '../reference.ts';
import { distinct, flatOf, forEachIndex, indices, type Values, valuesBy } from '../values.ts';

/** Joins along an axis. */
function joined(inputs: readonly Values[], axis: number): Values {
  const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const y = valuesBy(inputs[0]!.shape.with(axis, total), () => 0);
  let start = 0;
  for (const { shape, data } of inputs) {
    forEachIndex(shape, (index, from) => {
      y.data[flatOf(index.with(axis, start + index[axis]!), y.shape)] = data[from]!;
    });
    start += shape[axis]!;
  }
  return y;
}

const concats = (
  [
    [[[3], [4]], 0],
    [
      [
        [2, 3],
        [1, 3],
        [3, 3],
      ],
      0,
    ],
    [
      [
        [2, 3],
        [2, 1],
      ],
      1,
    ],
    [
      [
        [2, 3, 4],
        [2, 2, 4],
      ],
      1,
    ],
    [
      [
        [2, 3, 4],
        [2, 3, 1],
      ],
      2,
    ],
    [
      [
        [2, 2, 3, 4],
        [2, 2, 3, 2],
      ],
      3,
    ],
    [
      [
        [2, 2, 3, 4],
        [2, 1, 3, 4],
      ],
      1,
    ],
  ] as const
).map(([shapes, axis]): OpCase => {
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, distinct(shape, -3, 3, i + 1)]));
  return {
    op: 'concat',
    how: `${shapes.map((shape) => `[${shape}]`).join(' and ')} along ${axis}`,
    inputs,
    run: (tensors) => tf.concat(Object.values(tensors), axis),
    expected: () => byDifferences(inputs, (inputs) => joined(Object.values(inputs), axis)),
  };
});

const stacks = (
  [
    [[3], 0],
    [[2, 3], 1],
    [[2, 3, 4], 2],
  ] as const
).map(([shape, axis]): OpCase => {
  const inputs = { x0: distinct(shape, -3, 3, 1), x1: distinct(shape, -3, 3, 2) };
  const one = (shape as readonly number[]).toSpliced(axis, 0, 1);
  return {
    op: 'stack',
    how: `two [${shape}] along ${axis}`,
    inputs,
    run: ({ x0, x1 }) => tf.stack([x0!, x1!], axis),
    expected: () =>
      byDifferences(inputs, ({ x0, x1 }) =>
        joined(
          [
            { ...x0!, shape: one },
            { ...x1!, shape: one },
          ],
          axis,
        ),
      ),
  };
});

/** Of a split, the parts in the opposite order, each times its number: so that parts that are mixed up show. */
const splits = (
  [
    [[6], 3, 0],
    [[2, 6], 3, 1],
    [[4, 3], [1, 3], 0],
    [[2, 3, 5], [2, 3], 2],
    [[2, 4, 2, 3], 2, 1],
  ] as const
).map(([shape, parts, axis]): OpCase => {
  const x = distinct(shape, -3, 3);
  const lengths =
    typeof parts === 'number' ? Array.from({ length: parts }, () => shape[axis]! / parts) : [...parts];
  const take = (values: Values, start: number, length: number, times: number) =>
    valuesBy(values.shape.with(axis, length), (index) => {
      const from = index.with(axis, start + index[axis]!);
      return times * values.data[flatOf(from, values.shape)]!;
    });
  return {
    op: 'split',
    how: `[${shape}] into ${parts} along ${axis}`,
    inputs: { x },
    run: ({ x }) => {
      const made = tf.split(x!, typeof parts === 'number' ? parts : [...parts], axis);
      return tf.concat(made.map((part, i) => tf.mul(part, i + 1)).reverse(), axis);
    },
    expected: () =>
      byDifferences({ x }, ({ x }) => {
        let start = 0;
        const made = lengths.map((length, i) => {
          start += length;
          return take(x!, start - length, length, i + 1);
        });
        return joined(made.reverse(), axis);
      }),
  };
});

const unstacks = (
  [
    [[3, 4], 0],
    [[2, 3, 4], 1],
    [[2, 3, 2, 2], 3],
  ] as const
).map(([shape, axis]): OpCase => {
  const x = distinct(shape, -3, 3);
  return {
    op: 'unstack',
    how: `[${shape}] along ${axis}, the last part`,
    inputs: { x },
    run: ({ x }) => tf.unstack(x!, axis).at(-1)!,
    expected: () =>
      byDifferences({ x }, ({ x }) =>
        valuesBy(shape.toSpliced(axis, 1), (index) => {
          return x!.data[flatOf(index.toSpliced(axis, 0, shape[axis]! - 1), shape)]!;
        }),
      ),
  };
});

const oneHots = [[5], [2, 3]].flatMap((shape) =>
  (['int32', 'float32', 'bool'] as const).map((dtype): OpCase => {
    const x = indices(shape, 4);
    return {
      op: 'oneHot',
      how: `[${shape}] of 4, ${dtype}`,
      inputs: { x },
      dtypes: { x: 'int32' },
      run: ({ x }) => tf.oneHot(x as tf.Tensor1D, 4, 1, 0, dtype),
      expected: () =>
        fixed(
          valuesBy([...shape, 4], (index) =>
            Number(x.data[flatOf(index.slice(0, -1), shape)] === index.at(-1)),
          ),
        ),
      differentiable: false,
    };
  }),
);

// As the layer categoryEncoding calls it.
const counts = [false, true].map((binaryOutput): OpCase => {
  const inputs = { x: indices([3, 6], 5), weights: valuesBy([3, 6], ([i, j]) => (i! + 1) / (j! + 1)) };
  return {
    op: 'denseBincount',
    how: binaryOutput ? 'binary' : 'weighted',
    inputs,
    dtypes: { x: 'int32' },
    run: ({ x, weights }) => tf.denseBincount(x as tf.Tensor2D, weights as tf.Tensor2D, 5, binaryOutput),
    expected: () => {
      const y = valuesBy([3, 5], () => 0);
      forEachIndex(inputs.x.shape, ([row], flat) => {
        const at = row! * 5 + inputs.x.data[flat]!;
        y.data[at] = binaryOutput ? 1 : y.data[at]! + inputs.weights.data[flat]!;
      });
      return fixed(y);
    },
    differentiable: false,
  };
});

const updates = [[5], [5, 3]].map((shape): OpCase => {
  const inputs = {
    x: distinct(shape, -3, 3, 1),
    at: { shape: [2, 1], data: Float64Array.of(3, 1) },
    updates: distinct([2, ...shape.slice(1)], -3, 3, 2),
  };
  return {
    op: 'tensorScatterUpdate',
    how: `[${shape}] at 3 and 1`,
    inputs,
    dtypes: { at: 'int32' },
    run: ({ x, at, updates }) => tf.tensorScatterUpdate(x!, at!, updates!),
    expected: () => {
      const width = inputs.updates.data.length / 2;
      const data = inputs.x.data.slice();
      data.set(inputs.updates.data.slice(0, width), 3 * width);
      data.set(inputs.updates.data.slice(width), width);
      return fixed({ shape, data });
    },
    differentiable: false,
  };
});

export const joining: readonly OpCase[] = [
  ...[...concats, ...stacks, ...splits, ...unstacks],
  ...[...oneHots, ...counts, ...updates],
];
