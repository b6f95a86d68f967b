// What people may bring by mistake to a graph that is to be adapted: each has an error of its own, and nothing changes.
import {
  adapt,
  captureReference,
  captureStatistics,
  type Reference,
  ReferenceMomentsError,
} from '@rebatch/domains';
import { InputShapeError, InvalidDataError } from '@rebatch/models';
import { NonFiniteActivationError } from '@rebatch/recalibrate';
import { attribute, GraphWriter, writeGraph } from '@rebatch/test-models/graphs';
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { GraphWeightsError, graphModel, NoSiteError } from './index.ts';
import { makeNetwork, randomImages } from './testing/networks.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Adapts a graph to a target with a reference that was spoiled; it must be as before, and hold no more tensors. */
async function refused(
  spoil: (reference: Reference) => Reference,
  target: () => tf.Tensor,
): Promise<unknown> {
  const graph = graphModel(writeGraph(makeNetwork()));
  const known = randomImages(8, 1).tensor();
  const reference = spoil(JSON.parse(JSON.stringify(await captureReference(graph, known))));
  const before = await captureStatistics(graph);
  const x = target();
  const { numTensors } = tf.memory();
  const error = await adapt(graph, x, { reference }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(await captureStatistics(graph)).toEqual(before);
  tf.dispose([x, known]);
  graph.dispose();
  return error;
}

const images = () => randomImages(4, 2).tensor();
const same = (reference: Reference) => reference;

test('a reference and a target of different size', async () => {
  const error = await refused((reference) => ({ ...reference, inputs: '99x99x3' }), images);
  expect(error).toBeInstanceOf(InputShapeError);
  expect((error as Error).message).toMatch(
    /expected samples of shape 99x99x3, as the reference was measured on, got/,
  );
});

test('images of whole numbers, which a graph does not cast as tf.layers does', async () => {
  const error = await refused(same, () => tf.cast(images(), 'int32'));
  expect(error).toBeInstanceOf(InvalidDataError);
  expect((error as Error).message).toBe(
    "Batch 0, input 'image': expected a tensor of float32, got one of int32. Cast it: tf.cast(x, 'float32').",
  );
});

test('a reference file of another model', async () => {
  const error = await refused((reference) => ({ ...reference, sites: reference.sites.slice(1) }), images);
  expect(error).toBeInstanceOf(ReferenceMomentsError);
  expect((error as Error).message).toMatch(/the reference is of another model/);
});

test('moments of a reference that are not finite: JSON makes null of them', async () => {
  const error = await refused((reference) => {
    const [first, ...others] = reference.sites;
    const moments = { ...first!.moments!, mean: [null] } as unknown as Reference['sites'][0]['moments'];
    return { ...reference, sites: [{ name: first!.name, moments }, ...others] };
  }, images);
  expect(error).toBeInstanceOf(ReferenceMomentsError);
  expect((error as Error).message).toMatch(/site 0 of the reference: its moments are not usable/);
});

test('a target with values that are not finite', async () => {
  const error = await refused(same, () =>
    tf.tidy(() => {
      const x = images();
      return tf.concat([x, tf.fill(x.shape, Number.POSITIVE_INFINITY)]);
    }),
  );
  expect(error).toBeInstanceOf(NonFiniteActivationError);
  expect((error as Error).message).toMatch(/expected finite activations/);
});

/** A matrix product with a bias, or two with the same weights. */
function products(names: readonly string[]): tf.io.ModelArtifacts {
  const graph = new GraphWriter();
  const random = seededRandom(3);
  const x = graph.input('x', [null, 4]);
  const weights = graph.constant('weights', random.normals(16), [4, 4]);
  const attributes = { fused_ops: attribute.texts('BiasAdd'), num_args: attribute.int(1) };
  let last = x;
  for (const name of names) {
    const bias = graph.constant(`${name}/bias`, random.normals(4), [4]);
    last = graph.node('_FusedMatMul', name, [last, weights, bias], attributes);
  }
  return graph.artifacts({ [names.at(-1)!]: [null, 4] });
}

test('weights that two nodes share: both are left out by name, and a graph of nothing else has no site', () => {
  const { numTensors } = tf.memory();
  expect(() => graphModel(products(['first', 'second']))).toThrow(NoSiteError);
  expect(() => graphModel(products(['first', 'second']))).toThrow(
    /'first': its weights.*; 'second': its weights/,
  );
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('a target of one value per channel: its deviation is not known, and is that of the reference', async () => {
  const graph = graphModel(products(['only']));
  const known = tf.tensor2d(seededRandom(4).normals(32 * 4), [32, 4]);
  const reference = await captureReference(graph, known);
  const one = tf.tensor2d([[1, -1, 2, 0.5]]);
  const report = await adapt(graph, one, { reference, prior: 8 });
  expect(report.samples).toBe(1);
  // A ninth of a variance of 0, and of the distance of one value: finite, and said to be uncertain.
  expect(report.warnings.length).toBeGreaterThan(0);
  for (const { mean, variance } of await captureStatistics(graph)) {
    for (const value of [...Array.from(mean), ...Array.from(variance)])
      expect(value).toSatisfy(Number.isFinite);
    for (const value of Array.from(variance)) expect(value).toBeGreaterThan(0);
  }
  graph.dispose();
});

test('artifacts with a missing shard, and weights that cannot be read', () => {
  const artifacts = products(['only']);
  const { numTensors } = tf.memory();
  const cut = { ...artifacts, weightData: (artifacts.weightData as ArrayBuffer).slice(0, 20) };
  expect(() => graphModel(cut)).toThrow(GraphWeightsError);
  expect(() => graphModel({ ...artifacts, weightData: undefined as never })).toThrow(GraphWeightsError);
  const odd = { ...artifacts.weightSpecs![0]!, dtype: 'bfloat' as never };
  expect(() => graphModel({ ...artifacts, weightSpecs: [odd, ...artifacts.weightSpecs!.slice(1)] })).toThrow(
    GraphWeightsError,
  );
  expect(tf.memory().numTensors).toBe(numTensors);
});
