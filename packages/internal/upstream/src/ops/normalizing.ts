// Normalization by given moments, as tf.layers.batchNormalization does it; and by neighbouring channels.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { byDifferences, type Inputs } from '../reference.ts';
import { distinct, type Range, type Values } from '../values.ts';

const RANGES: readonly Range[] = [
  [-2, 2],
  [-3, -0.5],
];
const EPSILON = 1e-3;

function normalized({ x, mean, variance, offset, scale }: Inputs): Values {
  const channels = mean!.data.length;
  const data = x!.data.map((value, i) => {
    const c = i % channels;
    const xhat = (value - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + EPSILON);
    return xhat * (scale?.data[c] ?? 1) + (offset?.data[c] ?? 0);
  });
  return { shape: x!.shape, data };
}

const batchNorms = [
  [5, 3],
  [2, 3, 4],
  [2, 3, 2, 5],
  [2, 2, 2, 2, 3],
].flatMap((shape) =>
  RANGES.flatMap((range) =>
    [false, true].map((affine): OpCase => {
      const channels = [shape.at(-1)!];
      const inputs = {
        x: distinct(shape, ...range, 1),
        mean: distinct(channels, -1, 1, 2),
        variance: distinct(channels, 0.3, 2, 3),
        ...(affine && { offset: distinct(channels, -1, 1, 4), scale: distinct(channels, -2, 2, 5) }),
      };
      return {
        op: 'batchNorm',
        how: `[${shape}]${affine ? ', scale and offset' : ''}, from ${range[0]}`,
        inputs,
        run: ({ x, mean, variance, offset, scale }) =>
          tf.batchNorm(
            ...([x!, mean as tf.Tensor1D, variance as tf.Tensor1D] as const),
            ...([offset as tf.Tensor1D, scale as tf.Tensor1D, EPSILON] as const),
          ),
        expected: () => byDifferences(inputs, normalized),
      };
    }),
  ),
);

const responses = [1, 2].flatMap((radius) =>
  RANGES.map((range): OpCase => {
    const x = distinct([3, 2, 2, 5], ...range);
    const [bias, alpha, beta] = [1.5, 0.7, 0.6];
    return {
      op: 'localResponseNormalization',
      how: `radius ${radius}, from ${range[0]}`,
      inputs: { x },
      run: ({ x }) => tf.localResponseNormalization(x as tf.Tensor4D, radius, bias, alpha, beta),
      expected: () =>
        byDifferences({ x }, ({ x }) => {
          const data = x!.data.map((value, i) => {
            const [c, first] = [i % 5, i - (i % 5)];
            let squares = 0;
            for (let d = Math.max(0, c - radius); d <= Math.min(4, c + radius); d++) {
              squares += x!.data[first + d]! ** 2;
            }
            return value / (bias + alpha * squares) ** beta;
          });
          return { shape: x!.shape, data };
        }),
    };
  }),
);

export const normalizing: readonly OpCase[] = [...batchNorms, ...responses];
