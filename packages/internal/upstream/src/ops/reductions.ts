// Ops that reduce axes.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { byDifferences, type Expected, fixed, type Inputs, weightedSums } from '../reference.ts';
import { distinct, flatOf, forEachIndex, type Range, sizeOf, type Values } from '../values.ts';

type Axes = readonly number[];

const PLACES: readonly (readonly [shape: readonly number[], axes: Axes])[] = [
  [[7], [0]],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [
    [3, 5],
    [0, 1],
  ],
  [[2, 3, 4], [0]],
  [[2, 3, 4], [1]],
  [[2, 3, 4], [-1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [
    [2, 3, 4],
    [1, 2],
  ],
  [[2, 3, 4, 5], [3]],
  [
    [2, 3, 4, 5],
    [1, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 1, 2],
  ],
  [
    [3, 2, 2, 2, 3],
    [1, 2, 3],
  ],
];
export const RANGES: readonly Range[] = [
  [-3, 3],
  [-5, -0.5],
];

/** The values of x that each value of the result is made of. */
export function groupsOf(x: Values, axes: Axes, keepDims: boolean) {
  const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
  const kept = x.shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
  const groups = Array.from({ length: sizeOf(kept) }, (): number[] => []);
  forEachIndex(x.shape, (index, flat) => {
    groups[
      flatOf(
        index.map((i, axis) => (reduced.has(axis) ? 0 : i)),
        kept,
      )
    ]!.push(flat);
  });
  return { groups, shape: keepDims ? kept : kept.filter((_, axis) => !reduced.has(axis)) };
}

/** Each result is a weighted sum of its group. */
const weighted = (weights: (group: readonly number[], x: Float64Array) => readonly number[]) => {
  return (x: Values, axes: Axes, keepDims: boolean): Expected => {
    const { groups, shape } = groupsOf(x, axes, keepDims);
    const all = groups.map((group) => weights(group, x.data));
    return weightedSums(shape, 'x', x, (visit) => {
      for (const [to, group] of groups.entries()) {
        for (const [i, from] of group.entries()) visit(to, from, all[to]![i]!);
      }
    });
  };
};

/** Each result is some function of its group. */
const reduced = (f: (values: readonly number[]) => number) => {
  return (x: Values, axes: Axes, keepDims: boolean): Expected =>
    byDifferences({ x }, (inputs: Inputs) => {
      const { data } = inputs.x!;
      const { groups, shape } = groupsOf(inputs.x!, axes, keepDims);
      return { shape, data: Float64Array.from(groups, (group) => f(group.map((at) => data[at]!))) };
    });
};

const extreme = (better: (a: number, b: number) => boolean) =>
  weighted((group, data) => {
    const best = group.reduce((a, b) => (better(data[b]!, data[a]!) ? b : a));
    return group.map((at) => Number(at === best));
  });

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

interface Reduction {
  readonly op: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;
  readonly expected: (x: Values, axes: Axes, keepDims: boolean) => Expected;
}

const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  sum: { op: tf.sum, expected: weighted((group) => group.map(() => 1)) },
  mean: { op: tf.mean, expected: weighted((group) => group.map(() => 1 / group.length)) },
  max: { op: tf.max, expected: extreme((a, b) => a > b) },
  min: { op: tf.min, expected: extreme((a, b) => a < b) },
  prod: { op: tf.prod, expected: reduced((values) => values.reduce((a, b) => a * b, 1)) },
  logSumExp: {
    op: tf.logSumExp,
    expected: reduced((values) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0))),
  },
  'variance of moments': {
    op: (x, axes, keepDims) => tf.moments(x, axes, keepDims).variance,
    expected: reduced((values) => mean(values.map((value) => (value - mean(values)) ** 2))),
  },
};

const reductions = Object.entries(REDUCTIONS).flatMap(([op, { op: run, expected }]) =>
  PLACES.flatMap(([shape, axes]) =>
    RANGES.flatMap((range) =>
      [false, true].map((keepDims): OpCase => {
        // Products of many values leave the range of float32.
        const x = op === 'prod' ? distinct(shape, range[0] / 3, range[1] / 3) : distinct(shape, ...range);
        return {
          op,
          how: `[${shape}] over [${axes}], from ${range[0]}${keepDims ? ', keepDims' : ''}`,
          inputs: { x },
          run: ({ x }) => run(x!, [...axes], keepDims),
          expected: () => expected(x, axes, keepDims),
        };
      }),
    ),
  ),
);

const positions = (['argMax', 'argMin'] as const).flatMap((op) =>
  PLACES.filter(([, axes]) => axes.length === 1).flatMap(([shape, axes]) =>
    RANGES.map((range): OpCase => {
      const x = distinct(shape, ...range);
      return {
        op,
        how: `[${shape}] over [${axes}], from ${range[0]}`,
        inputs: { x },
        run: ({ x }) => (op === 'argMax' ? tf.argMax(x!, axes[0]) : tf.argMin(x!, axes[0])),
        expected: () => {
          const { groups, shape } = groupsOf(x, axes, false);
          const sign = op === 'argMax' ? 1 : -1;
          const best = (group: readonly number[]) =>
            group.reduce((a, b, i) => (sign * (x.data[b]! - x.data[group[a]!]!) > 0 ? i : a), 0);
          return fixed({ shape, data: Float64Array.from(groups, best) });
        },
        differentiable: false,
      };
    }),
  ),
);

const bools = (['all', 'any'] as const).flatMap((op) =>
  PLACES.map(([shape, axes]): OpCase => {
    // Few enough of one kind that groups differ.
    const often = distinct(shape, 0, 1).data.map((value) => Number(op === 'all' ? value > 0.2 : value > 0.8));
    const x = { shape, data: often };
    return {
      op,
      how: `[${shape}] over [${axes}]`,
      inputs: { x },
      dtypes: { x: 'bool' },
      run: ({ x }) => (op === 'all' ? tf.all(x!, [...axes]) : tf.any(x!, [...axes])),
      expected: () => {
        const { groups, shape } = groupsOf(x, axes, false);
        const holds = (group: readonly number[]) =>
          Number(op === 'all' ? group.every((at) => often[at] === 1) : group.some((at) => often[at] === 1));
        return fixed({ shape, data: Float64Array.from(groups, holds) });
      },
      differentiable: false,
    };
  }),
);

export const reducing: readonly OpCase[] = [...reductions, ...positions, ...bools];
