// Convolutions with a bias and an activation, as tf.layers calls them.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { byDifferences } from '../reference.ts';
import { distinct } from '../values.ts';
import { convolution, depthwiseConvolution, type Geometry, named } from './convolution.ts';

const ACTIVATIONS = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(0, x),
  relu6: (x: number) => Math.min(6, Math.max(0, x)),
  elu: (x: number) => (x > 0 ? x : Math.expm1(x)),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
};

/** tf.fused.conv2d and its like, with a bias and an activation. */
function fusedCase(
  op: 'conv2d' | 'depthwiseConv2d',
  activation: keyof typeof ACTIVATIONS,
  dilation: number,
): OpCase {
  const geometry: Geometry = {
    ...{ size: [5, 4], window: [3, 2], strides: [1, 1] },
    ...{ pad: 'same', dilations: [dilation, dilation] },
  };
  const outputs = op === 'conv2d' ? 3 : 2;
  const inputs = {
    x: distinct([2, 5, 4, 2], -1, 1, 1),
    filter: distinct([3, 2, 2, op === 'conv2d' ? 3 : 1], -1, 1, 2),
    bias: distinct([outputs], -1, 1, 3),
  };
  const reference = op === 'conv2d' ? convolution : depthwiseConvolution;
  const run = op === 'conv2d' ? tf.fused.conv2d : tf.fused.depthwiseConv2d;
  return {
    op: named(`fused.${op}`, geometry),
    how: activation,
    inputs,
    run: ({ x, filter, bias }) =>
      run({
        ...{ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, bias: bias!, activation },
        ...{ strides: 1, pad: 'same', dilations: [dilation, dilation] },
      }),
    expected: () =>
      byDifferences(inputs, ({ x, filter, bias }) => {
        const { y, shape } = reference(x!, filter!, geometry);
        return {
          shape,
          data: y.map((value, i) => ACTIVATIONS[activation](value + bias!.data[i % outputs]!)),
        };
      }),
  };
}

export const fusedConvolutions: readonly OpCase[] = (['conv2d', 'depthwiseConv2d'] as const).flatMap((op) =>
  (Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[]).flatMap((activation) =>
    [1, 2].map((dilation) => fusedCase(op, activation, dilation)),
  ),
);
