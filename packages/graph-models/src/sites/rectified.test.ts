// Where a ReLU alone reads a site of a graph.
import { attribute, type GraphWriter } from '@rebatch/test-models/graphs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { graphModel } from '../index.ts';
import { type Build, conv, convolves, ones, text, texts, write } from './graphs.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function norm(graph: GraphWriter, x: string): string {
  const constants = ['gamma', 'beta', 'mean', 'variance'].map((name) =>
    graph.constant(`site/${name}`, ones(3), [3]),
  );
  return graph.node('FusedBatchNormV3', 'site', [x, ...constants], {
    epsilon: attribute.float(1e-3),
    is_training: attribute.bool(false),
    data_format: text('NHWC'),
  });
}

/** A convolution whose bias and activation are fused into it. */
function fused(graph: GraphWriter, x: string, activation: string): string {
  const weights = [graph.constant('site/w', ones(9), [1, 1, 3, 3]), graph.constant('site/b', ones(3), [3])];
  return graph.node('_FusedConv2D', 'site', [x, ...weights], {
    ...convolves,
    num_args: attribute.int(1),
    fused_ops: texts('BiasAdd', activation),
  });
}

const CASES: [string, boolean, Build][] = [
  ['a ReLU', true, (g, x) => g.node('Relu', 'y', [norm(g, x)])],
  ['a ReLU6', true, (g, x) => g.node('Relu6', 'y', [norm(g, x)])],
  ['a ReLU behind Identity', true, (g, x) => g.node('Relu', 'y', [g.node('Identity', 'i', [norm(g, x)])])],
  ['a convolution', false, (g, x) => conv(g, 'y', norm(g, x), 3, 3, { fused: true })],
  ['another activation', false, (g, x) => g.node('Elu', 'y', [norm(g, x)])],
  [
    'a sum with a skip before the ReLU',
    false,
    (g, x) => g.node('Relu', 'y', [g.node('AddV2', 'sum', [norm(g, x), x])]),
  ],
  ['the end', false, (g, x) => norm(g, x)],
  [
    'a ReLU and an output',
    false,
    (g, x) => {
      const site = norm(g, x);
      return [g.node('Relu', 'y', [site]), g.node('Identity', 'z', [site])];
    },
  ],
  [
    'a ReLU, and a node that no output needs',
    true,
    (g, x) => {
      const site = norm(g, x);
      g.node('Neg', 'unused', [site]);
      return g.node('Relu', 'y', [site]);
    },
  ],
  ['a ReLU that is fused into it', true, (g, x) => fused(g, x, 'Relu')],
  ['another activation that is', false, (g, x) => g.node('Relu', 'y', [fused(g, x, 'Elu')])],
  [
    'none that is, and a ReLU',
    true,
    (g, x) => g.node('Relu', 'y', [conv(g, 'site', x, 3, 3, { fused: true })]),
  ],
];

test.each(CASES)('what follows: %s', (_, expected, build) => {
  const model = graphModel(write(build));
  const site = model.sites.findIndex(({ name }) => name === 'site');
  expect(model.rectified[site]).toBe(expected);
  model.dispose();
});
