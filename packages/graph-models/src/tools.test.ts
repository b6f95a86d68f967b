// The tools of sibling packages on graphs: what they do to a graph is what they do to the layers that it was written from.
import {
  adapt,
  adaptOnline,
  applyStatistics,
  captureReference,
  captureStatistics,
  statisticsBank,
} from '@rebatch/domains';
import { FoldedStatisticsError, recalibrate } from '@rebatch/recalibrate';
import { onEachBackend } from '@rebatch/test-models';
import { attribute, type GraphStyle, GraphWriter, writeGraph } from '@rebatch/test-models/graphs';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { bake, graphModel } from './index.ts';
import { makeNetwork, NETWORK_SITES, randomImages } from './testing/networks.test.support.ts';

/** Without any, a batch norm's deviations are exactly those that a folded site has. */
const EPSILON = 1e-7;

/** Sites that are no batch norms of the layers model. */
const BIASED: ReadonlySet<string> = new Set(['biased', 'head']);

/** The graph of a network, of which the sites are those that the layers have, too. */
const asGraph = (style: GraphStyle) =>
  graphModel(writeGraph(makeNetwork(1, { epsilon: EPSILON }), style), {
    leaveOut: (name) => BIASED.has(name) || (style.batchNorms === 'kept' && name === 'point'),
  });

const read = (y: unknown) => (y as tf.Tensor).dataSync<'float32'>().slice();

/** Images that are darker and of less contrast. */
const changed = (x: tf.Tensor) => tf.tidy(() => tf.sub(tf.mul(x, 0.4), 0.7));

onEachBackend(() => {
  test.each<[string, GraphStyle]>([
    ['folded and fused', {}],
    ['folded', { fused: false, add: 'AddV2' }],
    ['kept', { batchNorms: 'kept' }],
  ])('adapted relative to a reference, %s: as the layers, and so is what is baked', async (_, style) => {
    const layersModel = makeNetwork(1, { epsilon: EPSILON });
    const graph = asGraph(style);
    const known = randomImages(16, 20).tensor();
    const target = changed(randomImages(12, 21).tensor());
    for (const model of [layersModel, graph]) {
      const reference = JSON.parse(JSON.stringify(await captureReference(model, known)));
      await adapt(model, target, { reference, prior: 4 });
    }
    const x = changed(randomImages(5, 22).tensor());
    const expected = read(layersModel.predict(x));
    expectClose(read(graph.predict(x)), expected, 1e-4);
    const baked = await loadGraphModel(tf.io.fromMemory(await bake(graph)));
    expectClose(read(baked.predict(x)), expected, 1e-4);
    const untouched = read(asGraph(style).predict(x));
    expect(() => expectClose(untouched, expected, 1e-2)).toThrow('relative error');
  });

  test('one batch takes one forward, and nothing that plans it', async () => {
    const graph = asGraph({});
    const reference = await captureReference(graph, randomImages(16, 20).tensor());
    const run = vi.spyOn(graph, 'run');
    await adapt(graph, changed(randomImages(12, 21).tensor()), { reference });
    expect(run.mock.calls.map(([[x]]) => x!.shape[0])).toEqual([12]);
    // Several depend on the plan of the passes: of one sample, and of two.
    run.mockClear();
    const halves = [randomImages(6, 21).tensor(), randomImages(6, 22).tensor()];
    await adapt(graph, halves, { reference });
    expect(run.mock.calls.slice(0, 2).map(([[x]]) => x!.shape[0])).toEqual([1, 2]);
    run.mockRestore();
  });

  test('online relative to a reference: frame by frame as the layers', async () => {
    const layersModel = makeNetwork(1, { epsilon: EPSILON });
    const graph = asGraph({});
    const known = randomImages(16, 20).tensor();
    const adapters = [];
    for (const model of [layersModel, graph]) {
      adapters.push(
        adaptOnline(model, { decay: 0.8, prior: 4, reference: await captureReference(model, known) }),
      );
    }
    for (let frame = 0; frame < 4; frame++) {
      const x = changed(randomImages(2, 30 + frame).tensor());
      const [expected, actual] = adapters.map((adapter) => read(adapter.predict(x)));
      expectClose(actual!, expected!, 1e-4, `frame ${frame}`);
    }
    for (const adapter of adapters) adapter.dispose();
  });

  test('batch norms that were kept are recalibrated as the layers', async () => {
    const layersModel = makeNetwork(1);
    const graph = graphModel(writeGraph(makeNetwork(1), { batchNorms: 'kept' }), {
      leaveOut: (_, { folded }) => folded,
    });
    const batches = [1, 2, 3].map((seed) => randomImages(8, seed).tensor());
    for (const mode of ['batch', 'layerwise'] as const) {
      await recalibrate(layersModel, batches, { mode });
      await recalibrate(graph, batches, { mode });
      const expected = await captureStatistics(layersModel);
      const actual = await captureStatistics(graph);
      expect(actual.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
      for (const [at, { mean, variance }] of actual.entries()) {
        expectClose(mean, expected[at]!.mean, 1e-5);
        expectClose(variance, expected[at]!.variance, 1e-5);
      }
    }
  });

  test('without a reference, what was folded cannot be recalibrated; nothing changes then', async () => {
    const graph = asGraph({});
    const x = randomImages(4, 3).tensor();
    const before = read(graph.predict(x));
    for (const tool of [recalibrate, adapt])
      await expect(tool(graph, x)).rejects.toThrow(FoldedStatisticsError);
    expect(read(graph.predict(x))).toEqual(before);
  });

  test('a bank of domains, and statistics as values', async () => {
    const graph = graphModel(writeGraph(makeNetwork()));
    const known = randomImages(16, 20).tensor();
    const reference = await captureReference(graph, known);
    expect(reference.sites.map(({ name }) => name)).toEqual(NETWORK_SITES);
    const x = changed(randomImages(4, 3).tensor());
    const bank = statisticsBank(graph);
    await bank.capture('day');
    const day = read(graph.predict(x));
    await adapt(graph, x, { reference });
    await bank.capture('night');
    const night = read(graph.predict(x));
    expect(night).not.toEqual(day);
    bank.use('day');
    expect(bank.current).toBe('day');
    expect(read(graph.predict(x))).toEqual(day);
    bank.use('night');
    expect(read(graph.predict(x))).toEqual(night);
    applyStatistics(graph, bank.get('day'));
    expect(read(graph.predict(x))).toEqual(day);
    bank.dispose();
  });

  test('an abort leaves all as it was, and no tensor', async () => {
    const graph = graphModel(writeGraph(makeNetwork()));
    const known = randomImages(8, 20).tensor();
    const reference = await captureReference(graph, known);
    const before = await captureStatistics(graph);
    await expectNoLeaks(tf, async () => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const batches = [known, known, known];
      const onProgress = () => abort.abort(reason);
      await expect(adapt(graph, batches, { reference, signal: abort.signal, onProgress })).rejects.toThrow(
        reason,
      );
    });
    expect(await captureStatistics(graph)).toEqual(before);
  });

  test('many batches: the same, whatever is kept between levels, also where shapes are computed', async () => {
    const graph = new GraphWriter();
    const random = seededRandom(12);
    const linear = (name: string, x: string, inputs: number, units: number) =>
      graph.node(
        '_FusedMatMul',
        name,
        [
          x,
          graph.constant(`${name}/w`, random.normals(inputs * units, 0, 0.5), [inputs, units]),
          graph.constant(`${name}/b`, random.normals(units), [units]),
        ],
        { fused_ops: attribute.texts('BiasAdd', 'Elu'), num_args: attribute.int(1) },
      );
    const first = linear('first', graph.input('x', [null, 6]), 6, 4);
    // [samples, 4] as [samples * 2, 2], the way converters write it: from the shape of what comes before.
    const ints = { T: attribute.type('DT_INT32') };
    const shape = graph.node('Shape', 'shape', [first]);
    const doubled = graph.node('Mul', 'doubled', [shape, graph.ints('factors', [2, 1])], ints);
    const halved = graph.node('FloorDiv', 'halved', [doubled, graph.ints('divisors', [1, 2])], ints);
    const pairs = graph.node('Reshape', 'pairs', [first, halved]);
    linear('last', linear('second', pairs, 2, 3), 3, 2);
    const artifacts = graph.artifacts({ last: [null, 2] });
    const batches = [1, 2, 3].map((seed) => tf.tensor2d(seededRandom(seed).normals(5 * 6, 1, 2), [5, 6]));
    const known = tf.tensor2d(seededRandom(9).normals(20 * 6), [20, 6]);
    const adaptedWith = async (data: tf.Tensor[], activationBytes: number) => {
      const model = graphModel(artifacts);
      const reference = await captureReference(model, known);
      const { passes } = await adapt(model, data, { reference, activationBytes });
      const statistics = await captureStatistics(model);
      model.dispose();
      return {
        passes,
        values: statistics.flatMap(({ mean, variance }) => [...Array.from(mean), ...Array.from(variance)]),
      };
    };
    const [none, kept] = [await adaptedWith(batches, 0), await adaptedWith(batches, 1e9)];
    expect([none.passes, kept.passes]).toEqual([3, 3]);
    expectClose(kept.values, none.values, 1e-6);
    const once = await adaptedWith([tf.concat(batches)], 0);
    expect(once.passes).toBe(1);
    expectClose(once.values, none.values, 1e-5);
  });
});
