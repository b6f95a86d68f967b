// What is a site, on graphs written node by node.
import { attribute, GraphWriter } from '@rebatch/test-models/graphs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { graphModel, NoSiteError } from '../index.ts';
import { type Build, conv, convolves, found, IMAGE, ones, write } from './graphs.test.support.ts';

const { ints, bool } = attribute;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SITES: [string, Build, string[]][] = [
  [
    'weights through Identity, bias on the left',
    (g, x) => {
      const weights = g.node('Identity', 'w/read', [g.constant('w', ones(9), [1, 1, 3, 3])]);
      const bias = g.node('Identity', 'c/read', [g.constant('c', ones(3), [1, 1, 1, 3])]);
      return g.node('AddV2', 'y', [bias, conv(g, 'a', x, 3, 3, { weights })]);
    },
    ['y'],
  ],
  [
    'one channel, whose bias may have any shape of one value',
    (g, x) => g.node('AddV2', 'y', [conv(g, 'a', x, 3, 1), g.constant('c', ones(1), [1])]),
    ['y'],
  ],
  [
    'weights that other nodes only wait for',
    (g, x) => {
      const weights = g.constant('w', ones(9), [1, 1, 3, 3]);
      g.node('NoOp', 'wait', [`^${weights}`]);
      return g.node('BiasAdd', 'y', [conv(g, 'a', x, 3, 3, { weights }), g.constant('c', ones(3), [3])]);
    },
    ['y'],
  ],
  [
    'weights that a node uses which no output needs',
    (g, x) => {
      const weights = g.constant('w', ones(9), [1, 1, 3, 3]);
      conv(g, 'unused', x, 3, 3, { weights });
      return g.node('BiasAdd', 'y', [conv(g, 'a', x, 3, 3, { weights }), g.constant('c', ones(3), [3])]);
    },
    ['y'],
  ],
  [
    'a scale and an offset per channel, after an activation',
    (g, x) => {
      const scaled = g.node('Mul', 'scaled', [g.constant('s', ones(3), [3]), g.node('Relu', 'relu', [x])]);
      return g.node('AddV2', 'y', [scaled, g.constant('c', ones(3), [1, 1, 1, 3])]);
    },
    ['y'],
  ],
  [
    'a bias and then a scale and an offset: two sites',
    (g, x) => {
      const biased = g.node('BiasAdd', 'b', [conv(g, 'a', x, 3, 3), g.constant('c', ones(3), [3])]);
      const scaled = g.node('Mul', 'scaled', [biased, g.constant('s', ones(3), [3])]);
      return g.node('AddV2', 'y', [scaled, g.constant('o', ones(3), [3])]);
    },
    ['b', 'y'],
  ],
  [
    'arithmetic with one number for all channels, which is no site',
    (g, x) => {
      const scaled = g.node('Mul', 'scaled', [x, g.constant('s', ones(1), [])]);
      return g.node('AddV2', 'y', [scaled, g.constant('c', ones(1), [])]);
    },
    [],
  ],
  [
    'a scale without an offset, which is none either',
    (g, x) => g.node('Relu', 'y', [g.node('Mul', 'scaled', [x, g.constant('s', ones(3), [3])])]),
    [],
  ],
];

test.each(SITES)('%s', (_, build, names) => {
  const { names: actual, leftOut } = found(write(build));
  expect(actual).toEqual(names);
  expect(leftOut.filter(({ name }) => name !== 'unused')).toEqual([]);
});

test('a dense layer whose weights lie the other way round, and a transposed convolution', () => {
  const graph = new GraphWriter();
  const x = graph.input('x', [null, 2, 2, 3]);
  const up = graph.node(
    'Conv2DBackpropInput',
    'up',
    [graph.ints('size', [1, 4, 4, 5]), graph.constant('w', ones(2 * 2 * 5 * 3), [2, 2, 5, 3]), x],
    { ...convolves, strides: ints(1, 2, 2, 1) },
  );
  const biased = graph.node('BiasAdd', 'up_bias', [up, graph.constant('c', ones(5), [5])]);
  const flat = graph.node('Reshape', 'flat', [biased, graph.ints('to', [-1, 5])]);
  const product = graph.node('MatMul', 'product', [flat, graph.constant('m', ones(20), [4, 5])], {
    transpose_b: bool(true),
  });
  graph.node('BiasAdd', 'y', [product, graph.constant('b', ones(4), [4])]);
  const adapted = graphModel(graph.artifacts({ y: [null, 4] }));
  expect(adapted.sites.map(({ name, channels }) => [name, channels])).toEqual([
    ['up_bias', 5],
    ['y', 4],
  ]);
  expect(adapted.leftOut).toEqual([]);
  adapted.dispose();
});

test('sites that are not wanted are left out as asked for, and all of them is an error', () => {
  const artifacts = write((g, x) => conv(g, 'y', x, 3, 3, { fused: true }));
  const adapted = graphModel(artifacts, { leaveOut: (name) => name === 'y' });
  expect(adapted.sites.map(({ name }) => name)).toEqual(['known']);
  expect(adapted.leftOut).toEqual([{ name: 'y', reason: 'as asked for' }]);
  adapted.dispose();
  expect(() => graphModel(artifacts, { leaveOut: () => true })).toThrow(NoSiteError);
});

test('a graph without weights says so', () => {
  const graph = new GraphWriter();
  graph.node('Relu', 'y', [graph.input('x', IMAGE)]);
  expect(() => graphModel(graph.artifacts())).toThrow(
    /^graphModel: nothing in this graph can be adapted: it has no batch norm, and no convolution or matrix product/,
  );
});
