// Ops on two or three inputs that broadcast.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { fixed, valueByValue } from '../reference.ts';
import { distinct, type Range } from '../values.ts';

type Shapes = readonly (readonly number[])[];
const SHAPES: readonly Shapes[] = [
  [[7], [7]],
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [[3, 4], [4]],
  [[4], [3, 4]],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [2, 3, 1],
  ],
  [[2, 3, 2, 5], []],
  [[], [2, 3]],
  [
    [2, 1, 1, 3],
    [2, 4, 5, 3],
  ],
];
const MIXED: Range = [-3, 3];
const NEGATIVE: Range = [-5, -0.5];
const POSITIVE: Range = [0.3, 4];

interface Binary {
  readonly op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
  readonly f: (a: number, b: number) => number;
  /** Of a and b; by default mixed and negative ones. */
  readonly ranges?: readonly (readonly [Range, Range])[];
  readonly differentiable?: boolean;
}

const BINARY: Readonly<Record<string, Binary>> = {
  add: { op: tf.add, f: (a, b) => a + b },
  sub: { op: tf.sub, f: (a, b) => a - b },
  mul: { op: tf.mul, f: (a, b) => a * b },
  div: {
    op: tf.div,
    f: (a, b) => a / b,
    ranges: [
      [MIXED, NEGATIVE],
      [MIXED, POSITIVE],
    ],
  },
  divNoNan: {
    op: (a, b) => tf.divNoNan(a, b),
    f: (a, b) => a / b,
    ranges: [[MIXED, NEGATIVE]],
    differentiable: false,
  },
  maximum: { op: tf.maximum, f: Math.max },
  minimum: { op: tf.minimum, f: Math.min },
  squaredDifference: { op: tf.squaredDifference, f: (a, b) => (a - b) ** 2 },
  pow: { op: tf.pow, f: (a, b) => a ** b, ranges: [[POSITIVE, MIXED]] },
  prelu: { op: tf.prelu, f: (x, alpha) => (x >= 0 ? x : alpha * x) },
  mod: {
    op: tf.mod,
    f: (a, b) => a - b * Math.floor(a / b),
    ranges: [
      [MIXED, POSITIVE],
      [NEGATIVE, POSITIVE],
    ],
    // The slope for b jumps where a / b is whole; forward only.
    differentiable: false,
  },
  floorDiv: {
    op: tf.floorDiv,
    f: (a, b) => Math.floor(a / b),
    ranges: [[MIXED, POSITIVE]],
    differentiable: false,
  },
  atan2: { op: tf.atan2, f: Math.atan2 },
};

const COMPARISONS: Readonly<Record<string, Binary>> = {
  greater: { op: tf.greater, f: (a, b) => Number(a > b) },
  greaterEqual: { op: tf.greaterEqual, f: (a, b) => Number(a >= b) },
  less: { op: tf.less, f: (a, b) => Number(a < b) },
  lessEqual: { op: tf.lessEqual, f: (a, b) => Number(a <= b) },
  equal: { op: tf.equal, f: (a, b) => Number(a === b) },
  notEqual: { op: tf.notEqual, f: (a, b) => Number(a !== b) },
};

/** prelu takes an alpha that broadcasts to x, not the other way round. */
const fits = (op: string, [a, b]: Shapes) =>
  op !== 'prelu' || b!.every((n, i) => n === 1 || n === a![a!.length - b!.length + i]);

const arithmetic = Object.entries(BINARY).flatMap(
  ([
    op,
    {
      op: run,
      f,
      ranges = [
        [MIXED, MIXED],
        [NEGATIVE, NEGATIVE],
      ],
      ...rest
    },
  ]) =>
    ranges.flatMap(([rangeA, rangeB]) =>
      SHAPES.filter((shapes) => fits(op, shapes)).map(([a, b]): OpCase => {
        const inputs = { a: distinct(a!, ...rangeA, 1), b: distinct(b!, rangeB[0], rangeB[1] + 0.01, 2) };
        return {
          op,
          how: `[${a}] and [${b}], from ${rangeA[0]} and ${rangeB[0]}`,
          inputs,
          run: ({ a, b }) => run(a!, b!),
          expected: () => valueByValue(inputs, f),
          ...rest,
        };
      }),
    ),
);

const comparisons = Object.entries(COMPARISONS).flatMap(([op, { op: run, f }]) =>
  SHAPES.map(([a, b]): OpCase => {
    // Halves, so that there are equal ones.
    const halves = (shape: readonly number[], seed: number) => {
      const { data } = distinct(shape, -2, 2, seed);
      return { shape, data: data.map((value) => Math.round(value) / 2) };
    };
    const inputs = { a: halves(a!, 1), b: halves(b!, 2) };
    return {
      op,
      how: `[${a}] and [${b}]`,
      inputs,
      run: ({ a, b }) => run(a!, b!),
      expected: () => fixed({ ...valueByValue(inputs, f), data: valueByValue(inputs, f).y }),
      differentiable: false,
    };
  }),
);

const choices = [
  [3, 5],
  [2, 3, 4, 5],
].map((shape): OpCase => {
  const inputs = { condition: bits(shape, 1), a: distinct(shape, -3, 3, 1), b: distinct(shape, -3, 3, 2) };
  return {
    op: 'where',
    how: `[${shape}]`,
    inputs,
    dtypes: { condition: 'bool' },
    run: ({ condition, a, b }) => tf.where(condition!, a!, b!),
    expected: () => valueByValue(inputs, (condition, a, b) => (condition > 0.5 ? a! : b!)),
  };
});

function bits(shape: readonly number[], seed: number) {
  const { data } = distinct(shape, 0, 2, seed);
  return { shape, data: data.map(Math.floor) };
}

const LOGIC: Readonly<Record<string, Binary>> = {
  logicalAnd: { op: tf.logicalAnd, f: (a, b) => a & b },
  logicalOr: { op: tf.logicalOr, f: (a, b) => a | b },
  logicalXor: { op: tf.logicalXor, f: (a, b) => a ^ b },
};

const logic = Object.entries(LOGIC).flatMap(([op, { op: run, f }]) =>
  SHAPES.map(([a, b]): OpCase => {
    const inputs = { a: bits(a!, 1), b: bits(b!, 2) };
    return {
      op,
      how: `[${a}] and [${b}]`,
      inputs,
      dtypes: { a: 'bool', b: 'bool' },
      run: ({ a, b }) => run(a!, b!),
      expected: () => valueByValue(inputs, f),
      differentiable: false,
    };
  }),
);

const casts = (
  [
    ['int32', 'float32', [-4, 5]],
    ['bool', 'float32', [0, 2]],
    ['bool', 'int32', [0, 2]],
    ['float32', 'int32', [-4, 5]],
    ['float32', 'bool', [-4, 5]],
    ['int32', 'bool', [0, 3]],
  ] as const
).map(([from, to, range]): OpCase => {
  const { data, shape } = distinct([3, 7], range[0], range[1], 3);
  const x = { shape, data: from === 'float32' ? data : data.map(Math.floor) };
  const cast =
    to === 'float32' ? (v: number) => v : to === 'int32' ? Math.trunc : (v: number) => Number(v !== 0);
  return {
    op: 'cast',
    how: `${from} to ${to}`,
    inputs: { x },
    dtypes: from === 'float32' ? {} : { x: from },
    run: ({ x }) => tf.cast(x!, to),
    expected: () => valueByValue({ x }, cast),
    differentiable: false,
  };
});

export const binary: readonly OpCase[] = [...arithmetic, ...comparisons, ...choices, ...logic, ...casts];
