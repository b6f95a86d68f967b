import { applyStatistics, DisposedModelError, StatisticsError } from '@rebatch/models';
import { onEachBackend } from '@rebatch/test-models';
import {
  attribute,
  type GraphStyle,
  GraphWriter,
  halfOf,
  type Storage,
  writeGraph,
} from '@rebatch/test-models/graphs';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { bake, GraphModelError, GraphWeightsError, graphModel, type NormalizedGraphModel } from '../index.ts';
import { makeNetwork, randomImages } from '../testing/networks.test.support.ts';

/** The model as it is loaded from a stream, of which nothing is left then. */
function streamed({ weightData, ...rest }: tf.io.ModelArtifacts) {
  const stream = () => new Response(weightData as ArrayBuffer).body as unknown as ReadableStream<ArrayBuffer>;
  return loadGraphModel({ load: async () => ({ ...rest, getWeightStream: stream }) });
}

/** Random statistics for every site, or for some. */
function store(
  model: NormalizedGraphModel,
  seed: number,
  which: (name: string) => boolean = () => true,
): void {
  const random = seededRandom(seed);
  tf.tidy(() =>
    model.store(
      model.sites.map(({ name, channels }) =>
        which(name)
          ? {
              mean: tf.tensor1d(random.normals(channels, 0, 0.5)),
              variance: tf.tensor1d(Array.from({ length: channels }, () => 0.4 + 2 * random.uniform())),
            }
          : undefined,
      ),
    ),
  );
}

/** The bytes of each weight by its name; how many a value takes is told by its specification. */
function bytesOf({ weightSpecs, weightData }: tf.io.ModelArtifacts): Map<string, Uint8Array> {
  const all = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  let start = 0;
  return new Map(
    weightSpecs!.map(({ name, shape, dtype, quantization }) => {
      const size = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1 }[
        quantization?.dtype ?? (dtype as 'int32')
      ];
      const end = start + size * shape.reduce((a, b) => a * b, 1);
      const own = all.slice(start, end);
      start = end;
      return [name, own] as const;
    }),
  );
}

const STYLES: readonly GraphStyle[] = [
  { fused: true },
  { fused: false, add: 'BiasAdd' },
  { fused: false, add: 'AddV2' },
  { batchNorms: 'kept', fused: true },
  { batchNorms: 'scaled', fused: false, add: 'Add' },
];

const predict = (model: { predict(x: tf.Tensor): unknown }, x: tf.Tensor) => {
  const y = model.predict(x) as tf.Tensor;
  const values = y.dataSync<'float32'>().slice();
  y.dispose();
  return values;
};

onEachBackend(() => {
  test.each(STYLES.map((style) => [Object.values(style).join(', '), style] as const))(
    'what is baked predicts what the adapted graph predicts: %s',
    async (_, style) => {
      const artifacts = writeGraph(makeNetwork(), style);
      const copy = structuredClone(artifacts);
      const original = await loadGraphModel(tf.io.fromMemory(artifacts));
      const x = randomImages(3).tensor();
      const before = predict(original, x);
      for (const source of [artifacts, original]) {
        const adapted = graphModel(source);
        store(adapted, 5);
        const baked = await bake(adapted);
        const loaded = await loadGraphModel(tf.io.fromMemory(baked));
        expectClose(predict(loaded, x), predict(adapted, x), 1e-5);
        expect(JSON.stringify(baked.modelTopology)).toBe(JSON.stringify(copy.modelTopology));
        expect(baked.weightSpecs).toEqual(copy.weightSpecs);
        expect({ ...baked, weightData: 0 }).toEqual({ ...copy, weightData: 0 });
        // The model that was given, and the files it came from, are as they were.
        expect(predict(original, x)).toEqual(before);
        expect(artifacts).toEqual(copy);
        adapted.dispose();
        loaded.dispose();
      }
      tf.dispose(x);
      original.dispose();
    },
  );

  test('only what is rewritten has other bytes; nothing has, if nothing was adapted', async () => {
    const artifacts = writeGraph(makeNetwork());
    const before = bytesOf(artifacts);
    const adapted = graphModel(artifacts);
    expect(bytesOf(await bake(adapted))).toEqual(before);
    store(adapted, 5, (name) => name === 'wide_bn' || name === 'head');
    const after = bytesOf(await bake(adapted));
    const changed = [...before].filter(([name, own]) => Buffer.compare(own, after.get(name)!) !== 0);
    expect(changed.map(([name]) => name)).toEqual(['wide/weights', 'wide/bias', 'head/weights', 'head/bias']);
    adapted.dispose();
  });

  test('weights from a stream, which are read back, come as they came', async () => {
    for (const storage of ['float32', 'float16', 'uint16', 'uint8'] as Storage[]) {
      const artifacts = writeGraph(makeNetwork(), { storage });
      const model = await streamed(artifacts);
      const adapted = graphModel(model);
      expect(bytesOf(await bake(adapted))).toEqual(bytesOf(artifacts));
      store(adapted, 5, (name) => name === 'wide_bn');
      const after = bytesOf(await bake(adapted));
      const same = graphModel(artifacts);
      store(same, 5, (name) => name === 'wide_bn');
      expect(after).toEqual(bytesOf(await bake(same)));
      adapted.dispose();
      same.dispose();
      model.dispose();
    }
  });

  test('baking leaves no tensor', async () => {
    const adapted = graphModel(writeGraph(makeNetwork()));
    store(adapted, 6);
    await expectNoLeaks(tf, () => bake(adapted));
    adapted.dispose();
  });
});

describe('on cpu', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  /** y = relu(x W + b), one site; what the values of W and b are when they are loaded. */
  function tiny(storage: Storage, weights: number[], bias: number[]) {
    const graph = new GraphWriter();
    const x = graph.input('x', [null, weights.length / bias.length]);
    const constants = [
      graph.constant('w', weights, [weights.length / bias.length, bias.length], storage),
      graph.constant('b', bias, [bias.length], storage),
    ];
    graph.node('_FusedMatMul', 'y', [x, ...constants], {
      fused_ops: attribute.texts('BiasAdd', 'Relu'),
      num_args: attribute.int(1),
    });
    const artifacts = graph.artifacts({ y: [null, bias.length] });
    const [w, b] = Object.values(tf.io.decodeWeights(artifacts.weightData!, artifacts.weightSpecs!));
    return { artifacts, w: w!.dataSync<'float32'>(), b: b!.dataSync<'float32'>() };
  }

  const decoded = ({ weightData, weightSpecs }: tf.io.ModelArtifacts) =>
    Object.values(tf.io.decodeWeights(weightData!, weightSpecs!)).map((tensor) =>
      tensor.dataSync<'float32'>(),
    );

  const WEIGHTS = [0.5, -1, 2, 0.25, 1.5, -0.75];
  const BIAS = [0.1, -0.4];
  const one = (mean: number[], variance: number[]) => [{ name: 'y', mean, variance }];

  test.each<[Storage, number]>([
    ['float32', 0],
    ['float16', 2 ** -11],
    ['uint16', 0],
    ['uint8', 0],
  ])('%s stays as it came, within half a step', async (storage, relative) => {
    const { artifacts, w, b } = tiny(storage, WEIGHTS, BIAS);
    const adapted = graphModel(artifacts);
    const [mean, variance] = [
      [0.05, -0.1],
      [1.7, 3],
    ];
    applyStatistics(adapted, one(mean, variance));
    const baked = await bake(adapted);
    expect(baked.weightSpecs).toEqual(artifacts.weightSpecs);
    const sd = variance.map((value) => Math.sqrt(Math.fround(value)));
    const expected = [
      w.map((value, at) => value / sd[at % 2]!),
      b.map((value, at) => (value - Math.fround(mean[at]!)) / sd[at]!),
    ];
    for (const [at, values] of decoded(baked).entries()) {
      const { scale = 0 } = artifacts.weightSpecs![at]!.quantization ?? {};
      values.forEach((value, i) => {
        const wanted = expected[at]![i]!;
        expect(Math.abs(value - wanted)).toBeLessThanOrEqual(
          scale / 2 + Math.abs(wanted) * (relative + 1e-6),
        );
      });
    }
    adapted.dispose();
  });

  test.each<[Storage, 'float32' | 'float16', object | undefined]>([
    ['uint8', 'float32', undefined],
    ['uint8', 'float16', { dtype: 'float16' }],
    ['uint16', 'float32', undefined],
    ['float16', 'float32', { dtype: 'float16' }],
  ])('%s that cannot hold a value, in %s', async (storage, precision, quantization) => {
    const { artifacts, w } = tiny(storage, WEIGHTS, BIAS);
    const adapted = graphModel(artifacts);
    // The weights grow tenfold, and the bias stays within its grid.
    applyStatistics(adapted, one([0.1 * (1 - 0.1), -0.4 * (1 - 0.1)], [0.01, 0.01]));
    const baked = await bake(adapted, { precision });
    expect(baked.weightSpecs![0]).toEqual({
      ...{ name: 'w', shape: [3, 2], dtype: 'float32' },
      ...(quantization && { quantization }),
    });
    expect(baked.weightSpecs![1]).toEqual(artifacts.weightSpecs![1]);
    const [values] = decoded(baked);
    expectClose(
      values!,
      w.map((value) => value * 10),
      quantization ? 2 ** -11 : 1e-6,
    );
    const loaded = await loadGraphModel(tf.io.fromMemory(baked));
    const x = tf.tensor2d([1, 2, 3], [1, 3]);
    expectClose(predict(loaded, x), predict(adapted, x), quantization ? 1e-2 : 2e-2);
    adapted.dispose();
  });

  test('what half precision cannot hold becomes float32, whatever is asked for', async () => {
    const { artifacts } = tiny('float16', [60000, 1, 1, 1, 1, 1], BIAS);
    const adapted = graphModel(artifacts);
    applyStatistics(adapted, one([0, 0], [0.25, 0.25]));
    const baked = await bake(adapted, { precision: 'float16' });
    expect(baked.weightSpecs!.map(({ quantization }) => quantization?.dtype)).toEqual([undefined, 'float16']);
    expect(decoded(baked)[0]![0]).toBe(120000 + 0 * halfOf(0));
    adapted.dispose();
  });

  test.each<[string, number[], number[], RegExp]>([
    [
      'a variance of 0',
      [0, 0],
      [1, 0],
      /^bake: site 'y', channel 1: expected a finite mean and a variance above 0, got mean 0 and variance 0/,
    ],
    ['a mean that is not finite', [Number.NaN, 0], [1, 1], /channel 0: .*got mean NaN and variance 1/],
    ['a variance that makes the weights infinite', [1e38, 0], [1e-38, 1], /too large for float32/],
  ])('%s cannot be baked', async (_, mean, variance, message) => {
    const { artifacts } = tiny('float32', WEIGHTS, BIAS);
    const adapted = graphModel(artifacts);
    tf.tidy(() => adapted.store([{ mean: tf.tensor1d(mean), variance: tf.tensor1d(variance) }]));
    await expect(bake(adapted)).rejects.toThrow(StatisticsError);
    await expect(bake(adapted)).rejects.toThrow(message);
    adapted.dispose();
  });

  test('weights of every layout: transposed convolutions, and products with turned weights', async () => {
    const graph = new GraphWriter();
    const random = seededRandom(3);
    const x = graph.input('x', [1, 2, 2, 3]);
    const up = graph.node(
      'Conv2DBackpropInput',
      'up',
      [graph.ints('size', [1, 4, 4, 5]), graph.constant('w', random.normals(60), [2, 2, 5, 3]), x],
      { strides: attribute.ints(1, 2, 2, 1), padding: attribute.text('SAME') },
    );
    const biased = graph.node('BiasAdd', 'up_bias', [up, graph.constant('c', random.normals(5), [5])]);
    const flat = graph.node('Reshape', 'flat', [biased, graph.ints('to', [-1, 5])]);
    const turned = [flat, graph.constant('m', random.normals(20), [4, 5])];
    const product = graph.node('MatMul', 'product', turned, { transpose_b: attribute.bool(true) });
    graph.node('Add', 'y', [graph.constant('b', random.normals(4), [1, 4]), product]);
    const adapted = graphModel(graph.artifacts({ y: [16, 4] }));
    expect(adapted.sites.map(({ name }) => name)).toEqual(['up_bias', 'y']);
    store(adapted, 4);
    const image = tf.tensor4d(random.normals(12), [1, 2, 2, 3]);
    const before = predict(graphModel(graph.artifacts({ y: [16, 4] })), image);
    const baked = await loadGraphModel(tf.io.fromMemory(await bake(adapted)));
    expectClose(predict(baked, image), predict(adapted, image), 1e-5);
    expect(() => expectClose(predict(baked, image), before, 1e-2)).toThrow('relative error');
  });

  test('a batch norm keeps a variance of 0, which its epsilon makes usable', async () => {
    const graph = new GraphWriter();
    const x = graph.input('x', [null, 2]);
    const constants = ['gamma', 'beta', 'mean', 'variance'].map((name) => graph.constant(name, [1, 2], [2]));
    graph.node('FusedBatchNorm', 'bn', [x, ...constants], { epsilon: attribute.float(0.5) });
    const adapted = graphModel(graph.artifacts({ bn: [null, 2] }));
    applyStatistics(adapted, [{ name: 'bn', mean: [3, 4], variance: [0, 9] }]);
    expect(decoded(await bake(adapted)).map((values) => [...values])).toEqual([
      [1, 2],
      [1, 2],
      [3, 4],
      [0, 9],
    ]);
    adapted.dispose();
  });

  test('what is no graph model, another precision, and a disposed one', async () => {
    const { artifacts } = tiny('float32', WEIGHTS, BIAS);
    const adapted = graphModel(artifacts);
    await expect(bake({ ...adapted } as never)).rejects.toThrow(GraphModelError);
    await expect(bake(adapted, { precision: 'int8' as never })).rejects.toThrow(
      /option precision to be 'float32' or 'float16', got "int8"/,
    );
    adapted.dispose();
    await expect(bake(adapted)).rejects.toThrow(DisposedModelError);
  });

  test('weights from a stream that are not finite are noticed when they are read', async () => {
    const { artifacts } = tiny('float32', [1, 2, Number.POSITIVE_INFINITY, 4, 5, 6], BIAS);
    const adapted = graphModel(await streamed(artifacts));
    await expect(bake(adapted)).rejects.toThrow(GraphWeightsError);
    await expect(bake(adapted)).rejects.toThrow(
      /Site 'y': expected finite weights, got Infinity at position 2 of 'w'/,
    );
    adapted.dispose();
  });
});
