import { normalize } from '@rebatch/core';
import { applyStatistics, captureStatistics } from '@rebatch/models';
import { onEachBackend } from '@rebatch/test-models';
import { type GraphStyle, writeGraph } from '@rebatch/test-models/graphs';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { graphModel, type NormalizedGraphModel } from './index.ts';
import { float64Outputs } from './testing/float64.test.support.ts';
import {
  loadAsGraph,
  makeNetwork,
  NETWORK_SITES,
  randomImages,
  randomized,
} from './testing/networks.test.support.ts';

const STYLES: readonly GraphStyle[] = [
  { fused: true },
  { fused: false, add: 'BiasAdd' },
  { fused: false, add: 'Add' },
  { fused: false, add: 'AddV2' },
  { batchNorms: 'kept', fused: true },
  { batchNorms: 'kept', fused: false },
  { batchNorms: 'scaled', fused: false, add: 'AddV2' },
];

const titled = (styles: readonly GraphStyle[]) =>
  styles.map((style) => [Object.values(style).join(', '), style] as const);

/** Runs with stored statistics, and gives what each site saw, by name and in order. */
function runStored(model: NormalizedGraphModel, x: tf.Tensor) {
  const seen = new Map<string, Float32Array>();
  const outputs = tf.tidy(() =>
    model
      .run([x], ({ site, index, x: own }) => {
        const { name } = model.sites[site]!;
        expect(index).toBe(0);
        expect(seen.has(name)).toBe(false);
        seen.set(name, own.dataSync<'float32'>().slice());
        return normalize(own, model.stored()[site]!, model.sites[site]!.options());
      })!
      .map((y) => y.dataSync<'float32'>().slice()),
  );
  return { seen, outputs };
}

/** The layer whose output a site sees: that of the batch norm, if it was folded; else what the batch norm gets. */
const BEFORE: Readonly<Record<string, string>> = {
  ...{ stem_bn: 'stem', depth_bn: 'depth', point_bn: 'point' },
  ...{ wide_bn: 'wide', hidden_bn: 'hidden' },
};

onEachBackend(() => {
  const images = randomImages(3);

  test.each(titled(STYLES))('a graph in the form %s', async (_, style) => {
    const network = makeNetwork();
    const graph = await loadAsGraph(network, style);
    const adapted = graphModel(graph);
    const truth = float64Outputs(network, images.plain);
    const x = images.tensor();

    const { seen, outputs } = runStored(adapted, x);
    expectClose(outputs[0]!, truth.get('head')!.values, 1e-5, 'the outputs of run');
    const predicted = adapted.predict(x) as tf.Tensor;
    expectClose(predicted.dataSync(), truth.get('head')!.values, 1e-5, 'what predict gives');
    const original = graph.predict(x) as tf.Tensor;
    expectClose(predicted.dataSync(), original.dataSync(), 1e-6, 'the original');

    const isKept = (name: string) => style.batchNorms === 'kept' && name in BEFORE;
    // The point-wise convolution has a bias of its own: another site, unless its batch norm is folded into it, too.
    const point = style.batchNorms === undefined ? [] : ['point'];
    expect(adapted.sites.map(({ name }) => name).sort()).toEqual([...NETWORK_SITES, ...point].sort());
    for (const site of adapted.sites) {
      const layer = isKept(site.name) ? BEFORE[site.name]! : site.name;
      expectClose(seen.get(site.name)!, truth.get(layer)!.values, 1e-5, `what '${site.name}' sees`);
      expect(site.folded).toBe(!isKept(site.name));
      expect(site.epsilon).toBeCloseTo(isKept(site.name) ? 1e-3 : 0, 9);
      expect(site.channels).toBe(truth.get(layer)!.shape.at(-1));
    }
    // The weights before a batch norm that was kept have no bias.
    expect(adapted.leftOut.map(({ name }) => name)).toEqual(
      style.batchNorms === 'kept'
        ? ['stem/Conv2D', 'depth/DepthwiseConv2dNative', 'wide/Conv2D', 'hidden/MatMul']
        : [],
    );
    tf.dispose([x, predicted, original]);
    adapted.dispose();
    graph.dispose();
    network.dispose();
  });

  test('sites come after those that they depend on, and are visited so', async () => {
    const graph = await loadAsGraph(makeNetwork());
    const adapted = graphModel(graph);
    const visited: string[] = [];
    const x = images.tensor();
    tf.tidy(() => {
      adapted.run([x], ({ site, x: own }) => {
        visited.push(adapted.sites[site]!.name);
        return tf.clone(own);
      });
    });
    // The network is a chain, but for a branch that is part of it.
    expect(adapted.sites.map(({ name }) => name)).toEqual(NETWORK_SITES);
    expect(visited).toEqual(NETWORK_SITES);
  });

  test('other statistics: sites normalize by them, one after the other, and the original never does', async () => {
    const network = makeNetwork();
    const graph = await loadAsGraph(network);
    const adapted = graphModel(graph);
    const random = seededRandom(4);
    const stored = Object.fromEntries(
      adapted.sites.map(({ name, channels }) => [
        name,
        {
          mean: random.normals(channels, 0, 0.5),
          variance: Float32Array.from({ length: channels }, () => 0.5 + 2 * random.uniform()),
        },
      ]),
    );
    const x = images.tensor();
    const before = (graph.predict(x) as tf.Tensor).dataSync<'float32'>().slice();
    applyStatistics(
      adapted,
      Object.entries(stored).map(([name, own]) => ({ name, ...own })),
    );
    const truth = float64Outputs(network, images.plain, stored);
    expectClose((adapted.predict(x) as tf.Tensor).dataSync(), truth.get('head')!.values, 1e-5);
    expectClose(runStored(adapted, x).outputs[0]!, truth.get('head')!.values, 1e-5);
    expect((graph.predict(x) as tf.Tensor).dataSync()).toEqual(before);
    const captured = await captureStatistics(adapted);
    for (const { name, mean, variance } of captured) {
      expect(Float32Array.from(mean)).toEqual(stored[name]!.mean);
      expect(Float32Array.from(variance)).toEqual(stored[name]!.variance);
    }
  });

  test('no tensor is left behind, whether a run ends, is ended or fails', async () => {
    const graph = await loadAsGraph(makeNetwork());
    const artifacts = writeGraph(makeNetwork());
    const failure = new Error('the visitor fails');
    await expectNoLeaks(tf, () => {
      for (const source of [graph, artifacts]) {
        const adapted = graphModel(source);
        const x = images.tensor();
        tf.dispose(adapted.predict(x) as tf.Tensor);
        runStored(adapted, x);
        const before = tf.memory().numTensors;
        const at = (stop: number, how: () => undefined) =>
          adapted.run([x], ({ site, x: own }) => (site === stop ? how() : tf.add(own, 1)));
        const throws = (): undefined => {
          throw failure;
        };
        for (const stop of [0, 3, 6]) {
          expect(at(stop, () => undefined)).toBeUndefined();
          expect(() => at(stop, throws)).toThrow(failure);
        }
        expect(tf.memory().numTensors).toBe(before);
        x.dispose();
        adapted.dispose();
        adapted.dispose();
      }
    });
    // The model that was given is as it was.
    const x = images.tensor();
    expect((graph.predict(x) as tf.Tensor).shape).toEqual([3, 3]);
  });

  test('a visitor may hand the input on, run the model, and use the original meanwhile', async () => {
    const network = makeNetwork();
    const graph = await loadAsGraph(network);
    const [adapted, other] = [graphModel(graph), graphModel(graph)];
    const x = images.tensor();
    const truth = float64Outputs(network, images.plain).get('head')!.values;
    const [y] = tf.tidy(() =>
      adapted.run([x], ({ site, x: own }) => {
        if (site === 2) {
          expectClose((graph.predict(x) as tf.Tensor).dataSync(), truth, 1e-5);
          expectClose((adapted.predict(x) as tf.Tensor).dataSync(), truth, 1e-5);
          expect(adapted.run([x], () => undefined)).toBeUndefined();
          expect(other.run([x], ({ x: inner }) => inner)).toHaveLength(1);
        }
        return own;
      }),
    )!;
    expectClose(y!.dataSync(), truth, 1e-5);
  });
});

test('images whose channels come first, with fused slopes along them', async () => {
  await tf.setBackend('cpu');
  // cpu is the one backend in Node that computes such convolutions, and it has no depthwise ones.
  const input = tfl.input({ shape: [5, 4, 3], name: 'image' });
  const chain = [
    tfl.layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', useBias: false, name: 'a' }),
    tfl.layers.batchNormalization({ name: 'a_bn' }),
    tfl.layers.prelu({ sharedAxes: [1, 2], name: 'a_prelu' }),
    tfl.layers.conv2d({ filters: 4, kernelSize: 1, name: 'b' }),
    tfl.layers.batchNormalization({ name: 'b_bn' }),
    tfl.layers.leakyReLU({ alpha: 0.3, name: 'b_leaky' }),
    tfl.layers.conv2d({ filters: 4, kernelSize: 2, name: 'c' }),
    tfl.layers.globalAveragePooling2d({ name: 'pool' }),
    tfl.layers.dense({ units: 2, name: 'head' }),
  ];
  const output = chain.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
  const network = randomized(tfl.model({ inputs: input, outputs: output }), 3);
  const images = randomImages(2, 5, [5, 4, 3]);
  const truth = float64Outputs(network, images.plain);
  const x = tf.transpose(images.tensor(), [0, 3, 1, 2]);
  for (const style of [
    { fused: true },
    { fused: false, add: 'Add' },
    { batchNorms: 'scaled', fused: false, add: 'AddV2' },
  ] as const) {
    const graph = await loadAsGraph(network, { ...style, channelsFirst: true });
    const adapted = graphModel(graph);
    expect(adapted.leftOut).toEqual([]);
    const { seen, outputs } = runStored(adapted, x);
    expectClose(outputs[0]!, truth.get('head')!.values, 1e-5);
    expectClose((graph.predict(x) as tf.Tensor).dataSync(), outputs[0]!, 1e-6);
    for (const [at, { name }] of adapted.sites.entries()) {
      const values = truth.get(name)!;
      const rank4 = values.shape.length === 4;
      expect(adapted.sites[at]!.options().axis).toBe(rank4 ? -3 : -1);
      const shape = values.shape as [number, number, number, number];
      const turned = rank4
        ? tf.transpose(tf.tensor(Float32Array.from(values.values), shape), [0, 3, 1, 2]).dataSync()
        : values.values;
      expectClose(seen.get(name)!, turned, 1e-5, name);
    }
    const own = 'batchNorms' in style ? ['b'] : [];
    expect(adapted.sites.map(({ name }) => name)).toEqual(['a_bn', ...own, 'b_bn', 'c', 'head']);
    // Without a signature too, nothing that is used no more becomes an output.
    const { signature: _, ...unsigned } = writeGraph(network, { ...style, channelsFirst: true });
    expect(graphModel(unsigned).outputs).toEqual([{ name: 'head', shape: [] }]);
  }
});
