// Products of matrices: dense layers, recurrent cells, attention.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { broadcast, byDifferences, sumsOfProducts } from '../reference.ts';
import { distinct, flatOf, forEachIndex, type Range, type Values, valuesBy } from '../values.ts';

interface Product {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const PRODUCTS: readonly Product[] = [
  { a: [3, 4], b: [4, 5] },
  { a: [1, 7], b: [7, 1] },
  { a: [9, 17], b: [17, 13] },
  { a: [4, 3], b: [4, 5], transposeA: true },
  { a: [3, 4], b: [5, 4], transposeB: true },
  { a: [4, 3], b: [5, 4], transposeA: true, transposeB: true },
  { a: [3, 2, 4], b: [3, 4, 5] },
  { a: [3, 4, 2], b: [3, 4, 5], transposeA: true },
  { a: [3, 2, 4], b: [3, 5, 4], transposeB: true },
  { a: [2, 3, 2, 4], b: [2, 3, 4, 3] },
  { a: [1, 2, 4], b: [3, 4, 5] },
  { a: [3, 2, 4], b: [1, 4, 5] },
  { a: [2, 1, 2, 4], b: [1, 3, 4, 2] },
];
const RANGES: readonly Range[] = [
  [-2, 2],
  [-3, -0.5],
];

function matMul(a: Values, b: Values, transposeA = false, transposeB = false) {
  const [rows, depth] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows!, columns];
  const at = (values: Values, outer: readonly number[], i: number, j: number) => {
    const own = values.shape.slice(0, -2).map((length, axis) => (length === 1 ? 0 : outer[axis]!));
    return flatOf([...own, i, j], values.shape);
  };
  return sumsOfProducts(shape, ['a', a], ['b', b], (visit) =>
    forEachIndex(shape, (index, to) => {
      const outer = index.slice(0, -2);
      const [i, j] = index.slice(-2) as [number, number];
      for (let k = 0; k < depth!; k++) {
        visit(
          to,
          transposeA ? at(a, outer, k, i) : at(a, outer, i, k),
          transposeB ? at(b, outer, j, k) : at(b, outer, k, j),
        );
      }
    }),
  );
}

const products = PRODUCTS.flatMap(({ a, b, transposeA = false, transposeB = false }) =>
  RANGES.map((range): OpCase => {
    const inputs = { a: distinct(a, ...range, 1), b: distinct(b, ...range, 2) };
    return {
      op: 'matMul',
      how: `[${a}]${transposeA ? "'" : ''} x [${b}]${transposeB ? "'" : ''}, from ${range[0]}`,
      inputs,
      run: ({ a, b }) => tf.matMul(a!, b!, transposeA, transposeB),
      expected: () => matMul(inputs.a, inputs.b, transposeA, transposeB),
    };
  }),
);

const ACTIVATIONS = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(0, x),
  relu6: (x: number) => Math.min(6, Math.max(0, x)),
  elu: (x: number) => (x > 0 ? x : Math.expm1(x)),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
};

const fused = Object.entries(ACTIVATIONS).flatMap(([activation, f]) =>
  [
    { a: [3, 4], b: [4, 5] },
    { a: [2, 3, 4], b: [2, 4, 5] },
    { a: [1, 3, 4], b: [1, 4, 5] },
  ].flatMap(({ a, b }) =>
    RANGES.map((range): OpCase => {
      // Small, so that no sigmoid is so near to 1 that its slope loses its digits.
      const inputs = {
        a: distinct(a, ...range, 1),
        b: distinct(b, -0.3, 0.3, 2),
        bias: distinct([5], ...range, 3),
      };
      return {
        op: 'fused.matMul',
        how: `[${a}] x [${b}], ${activation}, from ${range[0]}`,
        inputs,
        run: ({ a, b, bias }) =>
          tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation: activation as 'relu' }),
        expected: () =>
          byDifferences(inputs, ({ a, b, bias }) => {
            const { y, shape } = matMul(a!, b!);
            return { shape, data: y.map((value, i) => f(value + bias!.data[i % 5]!)) };
          }),
      };
    }),
  ),
);

const EQUATIONS = [
  { equation: 'abc,cd->abd', a: [2, 3, 4], b: [4, 5] },
  { equation: 'abc,cde->abde', a: [2, 3, 4], b: [4, 2, 3] },
  { equation: 'aecd,abcd->acbe', a: [2, 3, 2, 4], b: [2, 5, 2, 4] },
  { equation: 'acbe,aecd->abcd', a: [2, 2, 5, 3], b: [2, 3, 2, 4] },
];

function einsum(equation: string, a: Values, b: Values): Values {
  const [terms, result] = equation.split('->') as [string, string];
  const [left, right] = terms.split(',') as [string, string];
  const lengths = new Map<string, number>();
  for (const [i, name] of [...left].entries()) lengths.set(name, a.shape[i]!);
  for (const [i, name] of [...right].entries()) lengths.set(name, b.shape[i]!);
  const names = [...lengths.keys()];
  const y = valuesBy(
    [...result].map((name) => lengths.get(name)!),
    () => 0,
  );
  forEachIndex([...lengths.values()], (index) => {
    const at = (letters: string, shape: readonly number[]) =>
      flatOf(
        [...letters].map((letter) => index[names.indexOf(letter)]!),
        shape,
      );
    y.data[at(result, y.shape)]! += a.data[at(left, a.shape)]! * b.data[at(right, b.shape)]!;
  });
  return y;
}

// As EinsumDense and MultiHeadAttention of tf.layers call it.
const sums = EQUATIONS.map(({ equation, a, b }): OpCase => {
  const inputs = { a: distinct(a, -2, 2, 1), b: distinct(b, -2, 2, 2) };
  return {
    op: 'einsum',
    how: equation,
    inputs,
    run: ({ a, b }) => tf.einsum(equation, a!, b!),
    expected: () => byDifferences(inputs, ({ a, b }) => einsum(equation, a!, b!)),
    differentiable: false,
  };
});

export const matrixProducts: readonly OpCase[] = [...products, ...fused, ...sums];
