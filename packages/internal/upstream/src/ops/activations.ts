// Ops on one input, value by value: activations, and what losses, metrics and optimizers are made of.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { valueByValue } from '../reference.ts';
import { distinct, type Range } from '../values.ts';

const MIXED: Range = [-3, 3];
const NEGATIVE: Range = [-4, -0.5];
const POSITIVE: Range = [0.2, 5];
// Lengths around those of a vector; a batch of images.
const SHAPES = [[1], [7], [3, 5], [2, 3, 4, 5]];

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Abramowitz and Stegun 7.1.5, the Taylor series. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** Half to even, as TensorFlow rounds. */
function round(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest === 0.5 ? down + (down % 2 === 0 ? 0 : 1) : Math.round(x);
}

interface Unary {
  readonly op: (x: tf.Tensor) => tf.Tensor;
  readonly f: (x: number) => number;
  readonly ranges?: readonly Range[];
  readonly tolerance?: number;
  readonly differentiable?: boolean;
}

const UNARY: Readonly<Record<string, Unary>> = {
  relu: { op: tf.relu, f: (x) => Math.max(0, x) },
  relu6: { op: tf.relu6, f: (x) => Math.min(6, Math.max(0, x)), ranges: [MIXED, NEGATIVE, [1, 12]] },
  leakyRelu: { op: (x) => tf.leakyRelu(x, 0.3), f: (x) => (x > 0 ? x : 0.3 * x) },
  elu: { op: tf.elu, f: (x) => (x > 0 ? x : Math.expm1(x)) },
  selu: { op: tf.selu, f: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)) },
  sigmoid: { op: tf.sigmoid, f: (x) => 1 / (1 + Math.exp(-x)) },
  tanh: { op: tf.tanh, f: Math.tanh },
  softplus: { op: tf.softplus, f: (x) => Math.log1p(Math.exp(x)) },
  logSigmoid: { op: tf.logSigmoid, f: (x) => -Math.log1p(Math.exp(-x)) },
  exp: { op: tf.exp, f: Math.exp },
  expm1: { op: tf.expm1, f: Math.expm1 },
  log: { op: tf.log, f: Math.log, ranges: [POSITIVE] },
  log1p: { op: tf.log1p, f: Math.log1p, ranges: [POSITIVE, [-0.9, 2]] },
  sqrt: { op: tf.sqrt, f: Math.sqrt, ranges: [POSITIVE] },
  rsqrt: { op: tf.rsqrt, f: (x) => 1 / Math.sqrt(x), ranges: [POSITIVE] },
  square: { op: tf.square, f: (x) => x * x },
  reciprocal: { op: tf.reciprocal, f: (x) => 1 / x, ranges: [POSITIVE, NEGATIVE] },
  abs: { op: tf.abs, f: Math.abs },
  neg: { op: tf.neg, f: (x) => -x },
  erf: { op: tf.erf, f: erf, ranges: [[-2.5, 2.5]] },
  // GLSL and WGSL ask for 2^-11 of these.
  sin: { op: tf.sin, f: Math.sin, tolerance: 1e-3 },
  cos: { op: tf.cos, f: Math.cos, tolerance: 1e-3 },
  clipByValue: {
    op: (x) => tf.clipByValue(x, -2.05, 0.55),
    f: (x) => Math.min(0.55, Math.max(-2.05, x)),
  },
  floor: { op: tf.floor, f: Math.floor },
  ceil: { op: tf.ceil, f: Math.ceil },
  round: { op: tf.round, f: round },
  sign: { op: tf.sign, f: Math.sign },
  step: { op: (x) => tf.step(x, 0.25), f: (x) => (x > 0 ? 1 : 0.25) },
};

export const activations: readonly OpCase[] = Object.entries(UNARY).flatMap(
  ([op, { op: run, f, ranges = [MIXED, NEGATIVE], ...rest }]) =>
    ranges.flatMap((range) =>
      SHAPES.map((shape): OpCase => {
        const inputs = { x: distinct(shape, ...range) };
        return {
          op,
          how: `[${shape}], from ${range[0]} to ${range[1]}`,
          inputs,
          run: ({ x }) => run(x!),
          expected: () => valueByValue(inputs, f),
          ...rest,
        };
      }),
    ),
);
