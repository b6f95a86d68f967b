// Whole numbers and bools: labels, tokens and masks. Not all backends look at what a tensor holds.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { type Expected, fixed, type Inputs, valueByValue } from '../reference.ts';
import { distinct, forEachIndex, type Values, valuesBy } from '../values.ts';

const SHAPE = [3, 2, 5];

function whole(low: number, high: number, seed: number): Values {
  const { shape, data } = distinct(SHAPE, low, high, seed);
  return { shape, data: data.map(Math.floor) };
}

interface Whole {
  readonly run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
  readonly expected: (inputs: Inputs) => Expected;
  readonly bool?: boolean;
}

const one = (f: (a: number) => number) => (inputs: Inputs) => valueByValue({ a: inputs.a! }, f);
const two = (f: (a: number, b: number) => number) => (inputs: Inputs) => valueByValue(inputs, f);
const backwards = ({ a }: Inputs) =>
  fixed(valuesBy(SHAPE, ([i, j, k]) => a!.data[(i! * 2 + j!) * 5 + (4 - k!)]!));
const reduced = (f: (values: readonly number[]) => number) => (inputs: Inputs) => {
  const groups = Array.from({ length: 6 }, (): number[] => []);
  forEachIndex(SHAPE, (_, flat) => groups[Math.floor(flat / 5)]!.push(inputs.a!.data[flat]!));
  return fixed({ shape: [3, 2], data: Float64Array.from(groups, f) });
};

const OPS: Readonly<Record<string, Whole>> = {
  clipByValue: { run: (a) => tf.clipByValue(a, -2, 3), expected: one((a) => Math.min(3, Math.max(-2, a))) },
  abs: { run: tf.abs, expected: one(Math.abs) },
  neg: { run: tf.neg, expected: one((a) => -a) },
  add: { run: tf.add, expected: two((a, b) => a + b) },
  mul: { run: tf.mul, expected: two((a, b) => a * b) },
  maximum: { run: tf.maximum, expected: two(Math.max) },
  minimum: { run: tf.minimum, expected: two(Math.min) },
  equal: { run: tf.equal, expected: two((a, b) => Number(a === b)) },
  sum: { run: (a) => tf.sum(a, -1), expected: reduced((values) => values.reduce((a, b) => a + b)) },
  max: { run: (a) => tf.max(a, -1), expected: reduced((values) => Math.max(...values)) },
  min: { run: (a) => tf.min(a, -1), expected: reduced((values) => Math.min(...values)) },
  reverse: { run: (a) => tf.reverse(a, -1), expected: backwards },
  'reverse of bools': { run: (a) => tf.reverse(a, -1), expected: backwards, bool: true },
  'sum of bools': {
    run: (a) => tf.sum(a, -1),
    expected: reduced((values) => values.reduce((a, b) => a + b)),
    bool: true,
  },
};

export const integers: readonly OpCase[] = Object.entries(OPS).map(
  ([name, { run, expected, bool = false }]): OpCase => {
    const inputs = bool
      ? { a: whole(0, 2, 1), b: whole(0, 2, 2) }
      : { a: whole(-5, 6, 1), b: whole(-5, 6, 2) };
    const dtype = bool ? 'bool' : 'int32';
    return {
      op: bool ? name : `${name} of whole numbers`,
      how: `[${SHAPE}]`,
      inputs,
      dtypes: { a: dtype, b: dtype },
      run: ({ a, b }) => run(a!, b!),
      expected: () => expected(inputs),
      differentiable: false,
    };
  },
);
