// Graphs of which only a part can be computed in one go.
import { normalize } from '@rebatch/core';
import { attribute, GraphWriter } from '@rebatch/test-models/graphs';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test, vi } from 'vitest';
import { GraphModelError, graphModel, NoSiteError } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const random = seededRandom(8);
const dense = (graph: GraphWriter, name: string, input: string, [inputs, units]: [number, number]) =>
  graph.node(
    '_FusedMatMul',
    name,
    [
      input,
      graph.constant(`${name}/weights`, random.normals(inputs * units), [inputs, units]),
      graph.constant(`${name}/bias`, random.normals(units), [units]),
    ],
    { fused_ops: attribute.texts('BiasAdd', 'Relu'), num_args: attribute.int(1) },
  );

/** Two dense layers; then the places where the second is above 0.5, which are as many as there are, and a third one. */
function writeDetector() {
  const graph = new GraphWriter();
  const x = graph.input('x', [null, 4]);
  const first = dense(graph, 'first', x, [4, 6]);
  const scores = dense(graph, 'scores', first, [6, 3]);
  const above = graph.node('Greater', 'above', [scores, graph.constant('threshold', [0.5], [])]);
  const found = graph.node('Where', 'found', [above], { T: attribute.type('DT_BOOL') });
  const places = graph.node('Cast', 'places', [found], {
    SrcT: attribute.type('DT_INT64'),
    DstT: attribute.type('DT_FLOAT'),
  });
  dense(graph, 'last', places, [2, 2]);
  return graph.artifacts({ last: [null, 2], scores: [null, 3] });
}

const input = () => tf.tensor2d(seededRandom(9).normals(5 * 4), [5, 4]);

test('the sites before the dynamic op are run, and the rest is left out by name', async () => {
  const artifacts = writeDetector();
  const adapted = graphModel(artifacts, { name: 'detector' });
  expect(adapted.isDynamic).toBe(true);
  expect(adapted.sites.map(({ name }) => name)).toEqual(['first', 'scores']);
  expect(adapted.leftOut).toEqual([
    {
      name: 'last',
      reason: expect.stringMatching(/^it comes after 'found', Where, which only an asynchronous/),
    },
  ]);
  // It stops at what is an output, and at what the dynamic op needs.
  expect(adapted.outputs.map(({ name }) => name)).toEqual(['scores', 'above']);
  const x = input();
  const visited: string[] = [];
  const [scores, above] = tf.tidy(() =>
    adapted.run([x], ({ site, x: own }) => {
      visited.push(adapted.sites[site]!.name);
      return normalize(own, adapted.stored()[site]!, adapted.sites[site]!.options());
    }),
  )!;
  expect(visited).toEqual(['first', 'scores']);
  const original = await loadGraphModel(tf.io.fromMemory(artifacts));
  const [expected] = (await original.executeAsync(x, ['scores', 'last'])) as tf.Tensor[];
  expect(scores!.dataSync()).toEqual(expected!.dataSync());
  expect([...above!.dataSync()]).toEqual([...expected!.dataSync()].map((value) => Number(value > 0.5)));
});

test('predictAsync computes all of it by the stored statistics, and leaves no tensor; predict refuses', async () => {
  const artifacts = writeDetector();
  const original = await loadGraphModel(tf.io.fromMemory(artifacts));
  const adapted = graphModel(original, { name: 'detector' });
  const x = input();
  expect(() => adapted.predict(x)).toThrow(GraphModelError);
  expect(() => adapted.predict(x)).toThrow(
    /^predict: model 'detector' has control flow.*Use await predictAsync/,
  );
  const read = async (outputs: unknown) => {
    const values = (outputs as tf.Tensor[]).map((y) => [...y.dataSync()]);
    tf.dispose(outputs as tf.Tensor[]);
    return values;
  };
  expect(await read(await adapted.predictAsync(x))).toEqual(await read(await original.predictAsync(x)));
  const mean = tf.tensor1d([0.1, 0.2, 0.3]);
  const variance = tf.tensor1d([4, 1, 0.25]);
  adapted.store([undefined, { mean, variance }]);
  tf.dispose([mean, variance]);
  const [, scores] = await read(await adapted.predictAsync(x));
  const ran = tf.tidy(() =>
    adapted
      .run([x], ({ site, x: own }) =>
        normalize(own, adapted.stored()[site]!, adapted.sites[site]!.options()),
      )!
      .map((y) => y.dataSync()),
  );
  expectClose(scores!, ran[0]!, 1e-7);
  await expectNoLeaks(tf, async () => read(await adapted.predictAsync(x)));
});

test('control flow before everything, and inside of functions, leaves no site', () => {
  const graph = new GraphWriter();
  const x = graph.input('x', [null, 4]);
  const which = graph.input('which', [], 'DT_BOOL');
  const branches = graph.node('Switch', 'switch', [x, which]);
  const one = dense(graph, 'one', branches, [4, 2]);
  const other = dense(graph, 'other', `${branches}:1`, [4, 2]);
  graph.node('Merge', 'merge', [one, other]);
  const artifacts = graph.artifacts({ merge: [null, 2] });
  const inside = { name: 'conv', op: 'Conv2D', input: ['a', 'b'] };
  Object.assign(artifacts.modelTopology as object, {
    library: {
      function: [{ signature: { name: 'body' }, nodeDef: [inside, { name: 'b', op: 'Identity' }] }],
    },
  });
  const memory = tf.memory();
  let error: unknown;
  try {
    graphModel(artifacts);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(NoSiteError);
  expect((error as Error).message).toMatch(
    /^graphModel: nothing in this graph can be adapted: 'one': it comes after/,
  );
  expect((error as NoSiteError).leftOut).toEqual([
    { name: 'one', reason: expect.stringContaining("'switch', Switch") },
    { name: 'other', reason: expect.stringContaining("'switch', Switch") },
    { name: 'body/conv', reason: expect.stringContaining("inside of the function 'body'") },
  ]);
  expect(tf.memory()).toMatchObject({ numTensors: memory.numTensors, numDataBuffers: memory.numDataBuffers });
});

test('a static graph predicts asynchronously without a warning', async () => {
  const graph = new GraphWriter();
  dense(graph, 'only', graph.input('x', [null, 4]), [4, 2]);
  const adapted = graphModel(graph.artifacts({ only: [null, 2] }));
  const warn = vi.spyOn(console, 'warn');
  const x = input();
  const y = (await adapted.predictAsync(x)) as tf.Tensor;
  expect(y.dataSync()).toEqual((adapted.predict(x) as tf.Tensor).dataSync());
  expect(warn).not.toHaveBeenCalled();
});
