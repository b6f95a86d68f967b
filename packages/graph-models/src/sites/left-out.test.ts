// Convolutions, products and batch norms that are no sites, and the reason that is given for each.
import { attribute, type GraphWriter } from '@rebatch/test-models/graphs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { type Build, conv, convolves, found, ones, write } from './graphs.test.support.ts';

const { text, texts, int, bool, float } = attribute;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Case = [string, Build, name: string, reason: RegExp];

const LEFT_OUT: Case[] = [
  [
    'weights of two convolutions',
    (g, x) => {
      const weights = g.constant('w', ones(9), [1, 1, 3, 3]);
      const both = ['a', 'b'].map((name) =>
        g.node('BiasAdd', `${name}/bias`, [
          conv(g, name, x, 3, 3, { weights }),
          g.constant(`${name}/c`, ones(3), [3]),
        ]),
      );
      return g.node('AddV2', 'y', both);
    },
    'a',
    /^its weights 'w' are used in 2 places \('a', Conv2D; 'b', Conv2D\)/,
  ],
  [
    'weights shared through Identity',
    (g, x) => {
      const weights = g.constant('w', ones(9), [1, 1, 3, 3]);
      const copy = g.node('Identity', 'copy', [weights]);
      const a = conv(g, 'a', x, 3, 3, { weights: copy });
      const b = conv(g, 'b', x, 3, 3, { weights });
      const biased = g.node('BiasAdd', 'a/bias', [a, g.constant('c', ones(3), [3])]);
      return g.node('AddV2', 'y', [biased, b]);
    },
    'a',
    /^its weights 'w' are used in 2 places/,
  ],
  [
    'a bias of two convolutions',
    (g, x) => {
      const bias = g.constant('c', ones(3), [3]);
      const both = ['a', 'b'].map((name) => g.node('AddV2', `${name}/bias`, [conv(g, name, x, 3, 3), bias]));
      return g.node('AddV2', 'y', both);
    },
    'b',
    /^its biases 'c' are used in 2 places/,
  ],
  [
    'weights that are an output, too',
    (g, x) => {
      const weights = g.constant('w', ones(9), [1, 1, 3, 3]);
      const a = conv(g, 'a', x, 3, 3, { weights });
      return [weights, g.node('BiasAdd', 'y', [a, g.constant('c', ones(3), [3])])];
    },
    'a',
    /^its weights 'w' are an output of the model/,
  ],
  [
    'what no output needs',
    (g, x) => {
      g.node('BiasAdd', 'end', [conv(g, 'a', x, 3, 3), g.constant('c', ones(3), [3])]);
      return g.node('Relu', 'y', [x]);
    },
    'a',
    /^no output of the model depends on it/,
  ],
  [
    'weights that are computed',
    (g, x) => {
      const weights = g.node('Neg', 'w', [g.constant('minus', ones(9), [1, 1, 3, 3])]);
      return g.node('BiasAdd', 'y', [conv(g, 'a', x, 3, 3, { weights }), g.constant('c', ones(3), [3])]);
    },
    'a',
    /^its weights are no constant/,
  ],
  [
    'no bias',
    (g, x) => g.node('Relu', 'y', [conv(g, 'a', x, 3, 3)]),
    'a',
    /^no constant bias follows it, but 'y', Relu/,
  ],
  ['nothing after it', (g, x) => conv(g, 'y', x, 3, 3), 'y', /^what it computes without a bias is an output/],
  [
    'an output that is used twice',
    (g, x) => {
      const a = conv(g, 'a', x, 3, 3);
      return g.node('AddV2', 'y', [g.node('BiasAdd', 'b', [a, g.constant('c', ones(3), [3])]), a]);
    },
    'a',
    /^its output is used in 2 places \('b', BiasAdd; 'y', AddV2\)/,
  ],
  [
    'a bias that is computed',
    (g, x) => g.node('AddV2', 'y', [conv(g, 'a', x, 3, 3), x]),
    'a',
    /^what 'y' adds to it is no constant/,
  ],
  [
    'one bias for all channels',
    (g, x) => g.node('AddV2', 'y', [conv(g, 'a', x, 3, 3), g.constant('c', ones(1), [])]),
    'a',
    /^its bias 'c' has the shape \[\], which is not one value for each of 3 channels/,
  ],
  [
    'a bias along the rows',
    (g, x) => g.node('AddV2', 'y', [conv(g, 'a', x, 3, 6), g.constant('c', ones(6), [6, 1])]),
    'a',
    /has the shape \[6, 1\]/,
  ],
  [
    'a fused activation that there is no op for',
    (g, x) =>
      g.node(
        '_FusedConv2D',
        'y',
        [x, g.constant('w', ones(9), [1, 1, 3, 3]), g.constant('c', ones(3), [3])],
        {
          ...convolves,
          num_args: int(1),
          fused_ops: texts('BiasAdd', '_MklSwish'),
        },
      ),
    'y',
    /^the activation '_mklswish' that is fused into it is not supported/,
  ],
  [
    'a fused convolution without a bias',
    (g, x) =>
      g.node('_FusedConv2D', 'y', [x, g.constant('w', ones(9), [1, 1, 3, 3])], {
        ...convolves,
        num_args: int(0),
      }),
    'y',
    /^it has no bias/,
  ],
  [
    'a bias that channels first would need elsewhere',
    (g, x) => {
      const weights = g.constant('w', ones(18), [1, 1, 6, 3]);
      const a = g.node('Conv2D', 'a', [x, weights], { ...convolves, data_format: text('NCHW') });
      return g.node('BiasAdd', 'y', [a, g.constant('c', ones(3), [3])]);
    },
    'a',
    /^its bias 'c' has the shape \[3\]/,
  ],
  [
    'a product in the notation of Einstein',
    (g, x) =>
      g.node('Einsum', 'y', [x, g.constant('w', ones(9), [3, 3])], { equation: text('abcd,de->abce') }),
    'y',
    /^Einsum is not among the ops/,
  ],
  [
    'a product with a matrix for each of its batches',
    (g, x) => {
      const product = g.node('BatchMatMulV2', 'a', [x, g.constant('w', ones(54), [6, 3, 3])]);
      return g.node('AddV2', 'y', [product, g.constant('c', ones(3), [3])]);
    },
    'a',
    /^its weights have the shape \[6, 3, 3\], which does not fit/,
  ],
  [
    'a product of two things that are computed',
    (g, x) => g.node('BatchMatMulV2', 'y', [x, g.node('Relu', 'other', [x])], { adj_y: bool(true) }),
    'y',
    /^its weights are no constant/,
  ],
  [
    'what is handed on without a bias is an output',
    (g, x) => {
      const read = g.node('Identity', 'read', [conv(g, 'a', x, 3, 3)]);
      return [read, g.node('BiasAdd', 'y', [read, g.constant('c', ones(3), [3])])];
    },
    'a',
    /^what it computes without a bias is an output of the model/,
  ],
  [
    'a convolution in space and time',
    (g, x) => g.node('Conv3D', 'y', [x, g.constant('w', ones(9), [1, 1, 1, 3, 3])]),
    'y',
    /^Conv3D is not among the ops/,
  ],
  [
    'a batch norm for training',
    (g, x) => batchNorm(g, 'y', x, { is_training: bool(true) }),
    'y',
    /^it is one for training/,
  ],
  [
    'a batch norm with channels first',
    (g, x) => batchNorm(g, 'y', x, { data_format: text('NCHW') }),
    'y',
    /^its channels come first/,
  ],
  [
    'batch norms with the same means',
    (g, x) => {
      const mean = g.constant('mean', ones(3), [3]);
      return batchNorm(g, 'y', batchNorm(g, 'a', x, {}, mean), {}, mean);
    },
    'a',
    /^its means 'mean' are used in 2 places/,
  ],
  [
    'a batch norm whose mean is computed',
    (g, x) => batchNorm(g, 'y', x, {}, g.node('Neg', 'mean', [g.constant('minus', ones(3), [3])])),
    'y',
    /^its mean are no constants/,
  ],
];

function batchNorm(
  g: GraphWriter,
  name: string,
  x: string,
  attr = {},
  mean = g.constant(`${name}/mean`, ones(3), [3]),
): string {
  const [gamma, beta, variance] = ['gamma', 'beta', 'variance'].map((what) =>
    g.constant(`${name}/${what}`, ones(3), [3]),
  );
  return g.node('FusedBatchNormV3', name, [x, gamma!, beta!, mean, variance!], {
    epsilon: float(0.01),
    ...attr,
  });
}

test.each(LEFT_OUT)('left out: %s', (_, build, name, reason) => {
  const { names, leftOut } = found(write(build));
  expect(leftOut.find((one) => one.name === name)?.reason).toMatch(reason);
  expect(names).not.toContain(name);
});
