// What is handed in: models and artifacts, good and bad.
import { DisposedModelError, DisposedTensorError, NotAModelError } from '@rebatch/models';
import { attribute, GraphWriter, writeGraph } from '@rebatch/test-models/graphs';
import { GraphModel, loadGraphModel, loadGraphModelSync } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bake, GraphModelError, GraphWeightsError, graphModel } from './index.ts';
import { makeNetwork, randomImages } from './testing/networks.test.support.ts';

let artifacts: tf.io.ModelArtifacts;

beforeAll(async () => {
  await tf.setBackend('cpu');
  artifacts = writeGraph(makeNetwork());
});

const layersModel = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });

test.each<[unknown, RegExp]>([
  [undefined, /got undefined\.$/],
  ['model.json', /got the address 'model\.json'\. Load it first: await tf\.loadGraphModel/],
  [new URL('file:///model.json'), /got the address 'file:/],
  [Promise.resolve(), /got a promise\. Wait for it first/],
  [{ load: async () => ({}) }, /got an IO handler\. Pass what it loads: await handler\.load\(\)/],
  [{ modelTopology: {}, weightsManifest: [] }, /got a model\.json, which has no weights/],
  [{ weightData: new ArrayBuffer(4) }, /got an object with the members weightData\.$/],
  [`{"modelTopology": ${' '.repeat(500)}}`, /got the address '.{57}\.\.\.'\. Load/],
  [{}, /got an object with no members\.$/],
  [() => {}, /got a function\.$/],
])('%s is no graph', (value, message) => {
  expect(() => graphModel(value as never)).toThrow(NotAModelError);
  expect(() => graphModel(value as never)).toThrow(message);
  expect(() => graphModel(value as never)).toThrow(
    /^graphModel: expected a GraphModel or the artifacts of one/,
  );
});

test('bake says what came in the place of a model', async () => {
  await expect((async () => bake({ predict: 1 } as never))()).rejects.toThrow(
    'returned, got an object with predict.',
  );
});

test('a model of tf.layers, and a layer, are sent where they belong', () => {
  const model = layersModel();
  expect(() => graphModel(model as never)).toThrow(
    /got a model of tf\.layers\. Tools take such models as they are/,
  );
  expect(() => graphModel(model.layers[0] as never)).toThrow(/got a layer of tf\.layers/);
  model.dispose();
});

describe('artifacts', () => {
  let before: { numTensors: number; numDataBuffers: number };

  beforeEach(() => {
    before = tf.memory();
  });

  afterEach(() => {
    const { numTensors, numDataBuffers } = tf.memory();
    expect({ numTensors, numDataBuffers }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  const refused = (given: tf.io.ModelArtifacts, kind: new (...args: never[]) => Error, message: RegExp) => {
    expect(() => graphModel(given)).toThrow(kind);
    expect(() => graphModel(given)).toThrow(message);
  };

  test('cut short, or with a shard missing', () => {
    const data = artifacts.weightData as ArrayBuffer;
    const cut = data.slice(0, data.byteLength - 4);
    const message = /which end within weight \d+, 'head\/bias'\. A shard is missing or cut short/;
    refused({ ...artifacts, weightData: cut }, GraphWeightsError, message);
    const shards = [data.slice(0, 1000), data.slice(2000)];
    refused({ ...artifacts, weightData: shards }, GraphWeightsError, /A shard is missing/);
    refused(
      { ...artifacts, weightData: new ArrayBuffer(0) },
      GraphWeightsError,
      /end within weight 1, 'stem\/weights'/,
    );
  });

  test('in several shards they are as in one', async () => {
    const data = artifacts.weightData as ArrayBuffer;
    const shards = [data.slice(0, 1001), data.slice(1001, 1002), data.slice(1002)];
    const [whole, cut] = [graphModel(artifacts), graphModel({ ...artifacts, weightData: shards })];
    tf.tidy(() => {
      const x = randomImages(2).tensor();
      expect((cut.predict(x) as tf.Tensor).dataSync()).toEqual((whole.predict(x) as tf.Tensor).dataSync());
    });
    whole.dispose();
    cut.dispose();
  });

  test('without weights, or without their list', () => {
    const { weightData: _, ...noData } = artifacts;
    const { weightSpecs: __, ...noSpecs } = artifacts;
    refused(noData, GraphWeightsError, /without weightData\. Load all of the model, without streamWeights/);
    refused(noSpecs, GraphWeightsError, /without weightSpecs/);
  });

  test('with a constant that the list of weights does not have', () => {
    const weightSpecs = artifacts.weightSpecs!.slice(0, -1);
    refused(
      { ...artifacts, weightSpecs },
      GraphWeightsError,
      /the constant 'head\/bias' is not among the \d+ weights/,
    );
  });

  test('with weights of a kind that is not known', () => {
    const first = { ...artifacts.weightSpecs![0]!, dtype: 'float8' as never };
    const weightSpecs = [first, ...artifacts.weightSpecs!.slice(1)];
    refused(
      { ...artifacts, weightSpecs },
      GraphWeightsError,
      /Weight 'stem\/weights': expected a dtype among .*got 'float8'/,
    );
    const unsaid = { ...artifacts.weightSpecs![0]!, dtype: undefined as never };
    refused(
      { ...artifacts, weightSpecs: [unsaid, ...artifacts.weightSpecs!.slice(1)] },
      GraphWeightsError,
      /expected a dtype among .*got undefined\.$/,
    );
    const odd = { ...artifacts.weightSpecs![0]!, quantization: { dtype: 'uint8' as const } };
    const data = (artifacts.weightData as ArrayBuffer).slice(0);
    refused(
      { ...artifacts, weightSpecs: [odd, ...artifacts.weightSpecs!.slice(1)], weightData: data },
      GraphWeightsError,
      /the weights could not be read: .*min and scale/,
    );
  });

  test.each(['stem/weights', 'head/bias'])('with a value in %s that is not finite', (name) => {
    const graph = structuredClone(artifacts);
    const at = graph.weightSpecs!.findIndex((spec) => spec.name === name);
    const start = graph
      .weightSpecs!.slice(0, at)
      .reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    new DataView(graph.weightData as ArrayBuffer).setFloat32(start + 8, Number.NaN, true);
    refused(
      graph,
      GraphWeightsError,
      new RegExp(`expected finite weights, got NaN at position 2 of '${name}'`),
    );
  });

  test('with a topology that is damaged', () => {
    const { node } = artifacts.modelTopology as { node: { name: string; input?: string[] }[] };
    const without = node.filter(({ name }) => name !== 'stem_bn');
    refused(
      { ...artifacts, modelTopology: { node: without } },
      GraphModelError,
      /its input 'stem_bn' is no node of the graph/,
    );
    refused(
      { ...artifacts, modelTopology: new ArrayBuffer(3) },
      GraphModelError,
      /Expected the model topology to be a GraphDef/,
    );
    const circle = node.map((one) =>
      one.name === 'stem_bn' ? { ...one, input: ['sum', ...one.input!.slice(1)] } : one,
    );
    refused(
      { ...artifacts, modelTopology: { node: circle } },
      GraphModelError,
      /needs its own output, outside of any loop/,
    );
  });

  test('with options that there are not', () => {
    const options = (given: object) => () => graphModel(artifacts, given);
    expect(options({ leaveout: () => true })).toThrow(GraphModelError);
    expect(options({ leaveout: () => true })).toThrow(/^graphModel: .*Did you mean leaveOut\?/);
    expect(options({ leaveOut: ['head'] })).toThrow(
      /option leaveOut to be a function that is given a site's name/,
    );
    expect(options({ name: 7 })).toThrow(/option name to be a text, got 7/);
    expect(options({ inputShapes: { image: [-1, 8] } })).toThrow(
      /option inputShapes to be an object of shapes/,
    );
  });

  test('are not written to, and outlive a tidy around them', () => {
    const copy = structuredClone(artifacts);
    const [adapted] = tf.tidy(() => [graphModel(artifacts)] as never) as [ReturnType<typeof graphModel>];
    const x = randomImages(2).tensor();
    const y = adapted.predict(x) as tf.Tensor;
    expect(y.shape).toEqual([2, 3]);
    tf.dispose([x, y]);
    adapted.dispose();
    expect(artifacts).toEqual(copy);
  });
});

test('a GraphModel that is not loaded, or disposed', async () => {
  const waiting = new GraphModel(tf.io.fromMemory(artifacts));
  expect(() => graphModel(waiting)).toThrow(/expected a GraphModel that is loaded\. Wait for it/);
  const model = await loadGraphModel(tf.io.fromMemory(artifacts));
  const adapted = graphModel(model);
  model.dispose();
  expect(() => graphModel(model)).toThrow(GraphWeightsError);
  expect(() => graphModel(model)).toThrow(/its weight '.*' is disposed\. Load it anew/);
  const x = randomImages(1).tensor();
  for (const use of [
    () => adapted.stored(),
    () => adapted.predict(x),
    () => adapted.run([x], () => undefined),
  ]) {
    expect(use).toThrow(DisposedModelError);
    expect(use).toThrow(/disposed, with the GraphModel that it was made from/);
  }
  await expect(adapted.predictAsync(x)).rejects.toThrow(DisposedModelError);
  adapted.dispose();
  expect(() => adapted.store([])).toThrow(/^Model 'graph' is disposed\.$/);
});

test('the weights of a GraphModel are shared, and stay when the adapted one goes; one loaded at once will do', () => {
  const model = loadGraphModelSync(artifacts);
  const { numTensors, numBytes } = tf.memory();
  const adapted = graphModel(model, { name: 'mine' });
  expect(adapted.name).toBe('mine');
  const channels = adapted.sites.reduce((sum, site) => sum + site.channels, 0);
  expect(tf.memory().numBytes - numBytes).toBe(2 * 4 * channels);
  expect(tf.memory().numTensors - numTensors).toBe(2 * adapted.sites.length);
  adapted.dispose();
  expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  const x = randomImages(1).tensor();
  expect((model.predict(x) as tf.Tensor).shape).toEqual([1, 3]);
});

describe('inputs and outputs', () => {
  test('are named and sized as the signature says, in the order in which run takes them', () => {
    const adapted = graphModel(artifacts);
    expect(adapted.inputs).toEqual([
      { name: 'image', shape: [null, 8, 6, 3], dtype: 'float32', takesNoOther: true },
    ]);
    expect(adapted.outputs).toEqual([{ name: 'head', shape: [null, 3] }]);
    adapted.dispose();
  });

  /** Two inputs, one of unknown rank, and no signature. */
  function twoInputs() {
    const graph = new GraphWriter();
    const x = graph.input('x', [null, 2]);
    const other = graph.node('Placeholder', 'other', [], {
      dtype: attribute.type('DT_FLOAT'),
      shape: { shape: { unknownRank: true } },
    });
    const bn = ['gamma', 'beta', 'mean', 'variance'].map((name) => graph.constant(name, [1, 2], [2]));
    const normalized = graph.node('FusedBatchNormV2', 'bn', [x, ...bn]);
    graph.node('AddV2', 'sum', [normalized, other]);
    return graph.artifacts();
  }

  test('of unknown rank have to be said', () => {
    const memory = tf.memory();
    expect(() => graphModel(twoInputs())).toThrow(GraphModelError);
    expect(() => graphModel(twoInputs())).toThrow(/does not say the shape of its input 'other'.*inputShapes/);
    expect(tf.memory().numTensors).toBe(memory.numTensors);
    const adapted = graphModel(twoInputs(), { inputShapes: { other: [null, 2] } });
    expect(adapted.inputs.map(({ shape }) => shape)).toEqual([
      [null, 2],
      [null, 2],
    ]);
    // Without a signature, the outputs are the nodes that nobody uses: not what only our op does not need any more.
    expect(adapted.outputs).toEqual([{ name: 'sum', shape: [] }]);
    const inputs = [tf.tensor2d([[1, 2]]), tf.tensor2d([[10, 20]])];
    const [y] = adapted.run(inputs, ({ x }) => tf.mul(x, 3))!;
    expect([...y!.dataSync()]).toEqual([13, 26]);
    adapted.dispose();
  });

  test('structured outputs keep their structure', async () => {
    const structured = { ...artifacts, userDefinedMetadata: { structuredOutputKeys: ['classes'] } };
    const adapted = graphModel(structured);
    const x = randomImages(1).tensor();
    const y = adapted.predict(x) as tf.NamedTensorMap;
    expect(Object.keys(y)).toEqual(['classes']);
    adapted.dispose();
  });
});

describe('statistics', () => {
  test('that do not fit are refused before the first write', () => {
    const adapted = graphModel(artifacts);
    const ones = adapted.sites.map(({ channels }) => ({
      mean: tf.ones([channels]),
      variance: tf.ones([channels]),
    }));
    const wrong = { mean: tf.ones([1]), variance: tf.ones([1]) };
    const gone = { mean: tf.ones([6]), variance: tf.ones([6]) };
    gone.variance.dispose();
    const ids = () => adapted.stored().map(({ mean, variance }) => [mean.dataId, variance.dataId]);
    const before = ids();
    expect(() => adapted.store([ones[0], ones[1], wrong])).toThrow(/Shapes 1 and 6 must match/);
    expect(() => adapted.store([ones[0], ones[1], gone])).toThrow(DisposedTensorError);
    const integers = { mean: tf.ones([6], 'int32'), variance: tf.ones([6]) };
    expect(() => adapted.store([ones[0], ones[1], integers])).toThrow(/dtype/);
    expect(() => adapted.store([ones[0], ones[1], integers], { undoable: false })).toThrow(/dtype/);
    const after = adapted.stored();
    expect([...after[2]!.mean.dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(before).toHaveLength(7);
    adapted.store(ones);
    expect(ids()).toEqual(ones.map(({ mean, variance }) => [mean.dataId, variance.dataId]));
    adapted.dispose();
    expect(ones[0]!.mean.isDisposed).toBe(false);
  });
});
