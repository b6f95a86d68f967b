// What is a site, on graphs written node by node.

import { applyStatistics } from '@rebatch/models';
import { attribute, GraphWriter } from '@rebatch/test-models/graphs';
import { expectClose, seededRandom } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { bake, graphModel, NoSiteError } from '../index.ts';
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
    'a product and its bias, each handed on through Identity',
    (g, x) => {
      const read = g.node('Identity', 'again', [g.node('Identity', 'read', [conv(g, 'a', x, 3, 3)])]);
      return g.node('BiasAdd', 'y', [read, g.constant('c', ones(3), [3])]);
    },
    ['y'],
  ],
  [
    'a scale and an offset, with Identity in between',
    (g, x) => {
      const scaled = g.node('Mul', 'scaled', [conv(g, 'a', x, 3, 3), g.constant('s', ones(3), [3])]);
      const read = g.node('Identity', 'read', [scaled]);
      return g.node('AddV2', 'y', [g.constant('c', ones(3), [3]), read]);
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

const BATCHED: [string, number[], Record<string, object>, number[]][] = [
  ['BatchMatMul', [3, 4], {}, [4]],
  ['BatchMatMulV2', [1, 3, 4], {}, [1, 1, 4]],
  ['BatchMatMulV2', [4, 3], { adj_x: bool(false), adj_y: bool(true) }, [4]],
];

test.each(BATCHED)('%s of weights [%s], for products of sequences', async (op, shape, attr, biasShape) => {
  const [samples, steps, inputs, outputs] = [3, 2, 3, 4];
  const random = seededRandom(4);
  const [w, b, x] = [12, 4, samples * steps * inputs].map((size) => random.normals(size, 0.2, 1));
  const graph = new GraphWriter();
  const weights = graph.constant('w', w!, shape);
  const product = graph.node(op, 'product', [graph.input('x', [null, steps, inputs]), weights], attr);
  graph.node('AddV2', 'y', [graph.constant('b', b!, biasShape), product]);
  const adapted = graphModel(graph.artifacts({ y: [null, steps, outputs] }));
  expect(adapted.sites.map(({ name, channels }) => [name, channels])).toEqual([['y', outputs]]);
  expect(adapted.leftOut).toEqual([]);
  const [mean, variance] = [random.normals(outputs, 0, 1), Float32Array.of(0.3, 4, 1, 2.5)];
  applyStatistics(adapted, [{ name: 'y', mean, variance }]);
  const expected = Float64Array.from({ length: samples * steps * outputs }, (_, at) => {
    const [row, c] = [Math.floor(at / outputs), at % outputs];
    let sum = b![c]! - mean[c]!;
    for (let i = 0; i < inputs; i++) {
      const weight = 'adj_y' in attr ? w![c * inputs + i]! : w![i * outputs + c]!;
      sum += x![row * inputs + i]! * weight;
    }
    return sum / Math.sqrt(variance[c]!);
  });
  const baked = await loadGraphModel(tf.io.fromMemory(await bake(adapted)));
  const given = tf.tensor(x!, [samples, steps, inputs]);
  for (const model of [adapted, baked]) {
    const y = model.predict(given) as tf.Tensor;
    expectClose(y.dataSync(), expected, 1e-5);
    y.dispose();
  }
  given.dispose();
  baked.dispose();
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
