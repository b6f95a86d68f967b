// Labels of models that do not say how many classes they have: graphs whose signature is lost, or says no sizes.
import { captureReference } from '@rebatch/domains';
import { graphModel, type NormalizedGraphModel } from '@rebatch/graph-models';
import { attribute, GraphWriter, writeGraph } from '@rebatch/test-models/graphs';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { LabelsError } from './errors.ts';
import { inspect } from './inspect.ts';
import { classesOf, makeModel, makeNetwork, run } from './network.test.support.ts';

const [INPUTS, CLASSES] = [6, 3];
const random = seededRandom(21);
const network = makeNetwork(random, [INPUTS, 10, 8, CLASSES]);
const stored = run(network, random.normals(2000 * INPUTS)).seen;
const known = random.normals(256 * INPUTS);
const values = random.normals(320 * INPUTS, 0.5, 1.5);
const right = classesOf(network, values, stored);
// Every fourth label is of another class than the network gives.
const classes = right.map((label, i) => (i % 4 === 0 ? (label + 1) % CLASSES : label));

type Signature = Record<string, { readonly name: string; readonly tensorShape?: object }>;

/** What is left of the signature that says one output of [null, 3]. */
const SIGNATURES: Record<string, (outputs: Signature) => Signature | undefined> = {
  whole: (outputs) => outputs,
  none: () => undefined,
  'without shapes': (outputs) => changed(outputs, undefined),
  'of unknown rank': (outputs) => changed(outputs, { unknownRank: true }),
  'without the number of classes': (outputs) => changed(outputs, { dim: [{ size: '-1' }, { size: '-1' }] }),
};

const changed = (outputs: Signature, tensorShape: object | undefined): Signature =>
  Object.fromEntries(
    Object.entries(outputs).map(([key, { name }]) => [key, { name, ...(tensorShape && { tensorShape }) }]),
  );

function asGraph(change: (outputs: Signature) => Signature | undefined): NormalizedGraphModel {
  const layers = makeModel(network, stored);
  const { signature, ...artifacts } = writeGraph(layers);
  layers.dispose();
  const { inputs, outputs } = signature as { inputs: object; outputs: Signature };
  const now = change(outputs);
  return graphModel({ ...artifacts, ...(now && { signature: { inputs, outputs: now } }) });
}

async function inspected(graph: NormalizedGraphModel, ys: tf.Tensor) {
  const [xs, before] = [tf.tensor2d(values, [320, INPUTS]), tf.tensor2d(known, [256, INPUTS])];
  try {
    const reference = await captureReference(graph, before);
    return await inspect(graph, [{ xs, ys }], { batchSize: 32, reference });
  } finally {
    tf.dispose([xs, ys, before]);
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each(Object.entries(SIGNATURES))('a graph with a signature %s', async (_, change) => {
  const graph = asGraph(change);
  await expectNoLeaks(tf, async () => {
    for (const ys of [
      () => tf.tensor1d(classes, 'int32'),
      () => tf.tensor2d([...classes], [320, 1], 'int32'),
      () => tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(classes, 'int32'), CLASSES), 'float32')),
    ]) {
      const { driftErrors } = await inspected(graph, ys());
      // Each batch of 32 has 8 labels of other classes.
      expect(driftErrors!.stored.error).toBe(0.25);
    }
  });
  const refused = (ys: tf.Tensor) => expect(inspected(graph, ys)).rejects;
  await refused(tf.fill([320], 3, 'int32')).toThrow('expected a class from 0 to 2, got 3');
  await refused(tf.zeros([320, 4])).toThrow('one-hot of shape [320, 3] or integer classes of shape [320]');
  graph.dispose();
});

test('one sample tells, once', async () => {
  const graph = asGraph(() => undefined);
  const own = graph.run.bind(graph);
  let samples = 0;
  graph.run = (inputs, visit) => {
    samples += inputs[0]!.shape[0]!;
    return own(inputs, visit);
  };
  const ran = async () => {
    samples = 0;
    await inspected(graph, tf.tensor1d(classes, 'int32'));
    return samples;
  };
  expect((await ran()) - (await ran())).toBe(1);
  graph.dispose();
});

test('where a forward stops before the end, there is nothing to hold labels against', async () => {
  const writer = new GraphWriter();
  const x = writer.input('x', [null, INPUTS]);
  const weights = writer.constant('w', random.normals(INPUTS * CLASSES), [INPUTS, CLASSES]);
  const scores = writer.node('_FusedMatMul', 'scores', [x, weights, writer.constant('b', [1, 2, 3], [3])], {
    fused_ops: attribute.texts('BiasAdd'),
    num_args: attribute.int(1),
  });
  writer.node('Where', 'found', [scores], { T: attribute.type('DT_FLOAT') });
  const graph = graphModel(writer.artifacts({ found: [null, 2] }), { name: 'detector' });
  expect(graph.outputs).toEqual([{ name: 'scores', shape: [], isStop: true }]);
  const refused = inspected(graph, tf.tensor1d(classes, 'int32'));
  await expect(refused).rejects.toThrow(LabelsError);
  await expect(refused).rejects.toThrow(
    "Model 'detector' has control flow or dynamic ops after 'scores', where a forward has to stop; errors are measured for " +
      'models that it computes to their end. Inspect without errors: labels: false.',
  );
  graph.dispose();
});
