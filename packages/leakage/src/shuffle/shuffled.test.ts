import { batchNormalization, freezeBatchNorm } from '@rebatch/layers';
import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Group,
  GroupingError,
  ghostBatchNormalization,
  inLockstep,
  Shuffled,
  type ShuffledConfig,
  setGroup,
  shuffled,
  syncBatchNormalization,
} from '../index.ts';
import '../register.ts';
import { permutationOf, permute, restore } from './permute.ts';

const block = (name = 'block') =>
  tfl.sequential({
    name,
    layers: [
      tfl.layers.conv2d({
        filters: 3,
        kernelSize: 3,
        padding: 'same',
        inputShape: [4, 4, 2],
        name: `${name}_conv`,
      }),
      tfl.layers.batchNormalization({ name: `${name}_bn`, momentum: 0.5 }),
      tfl.layers.reLU({ name: `${name}_relu` }),
    ],
  });

onEachBackend(() => {
  test('permuting and restoring is exact, and so is its gradient', () => {
    tf.tidy(() => {
      const x = randomTensor([6, 3, 2], 1);
      const permutation = permutationOf([3, 0, 5, 1, 4, 2]);
      const moved = permute(x, permutation);
      expect([...moved.dataSync()].slice(0, 6)).toEqual([...x.dataSync()].slice(18, 24));
      expect(restore(moved, permutation).dataSync()).toEqual(x.dataSync());
      const dy = randomTensor([6, 3, 2], 2);
      const gradient = tf.grad((input) => permute(input, permutation))(x, dy);
      expect(gradient.dataSync()).toEqual(restore(dy, permutation).dataSync());
    });
  });

  test('at inference it is the block itself', () => {
    const inner = block();
    randomizeWeights(inner, 3);
    const layer = shuffled(inner, { groups: 2 });
    const x = randomTensor([6, 4, 4, 2], 1);
    tf.tidy(() => {
      const y = layer.apply(x) as tf.Tensor;
      expect(y.dataSync()).toEqual((inner.apply(x) as tf.Tensor).dataSync());
      expect(y.shape).toEqual([6, 4, 4, 3]);
    });
  });

  test('in one group, shuffling changes nothing but rounding', () => {
    const [plain, inner] = [block('plain'), block()];
    randomizeWeights(plain, 3);
    randomizeWeights(inner, 3);
    const x = randomTensor([6, 4, 4, 2], 1);
    const gradients = (layer: tfl.layers.Layer) => {
      const loss = (input: tf.Tensor) =>
        tf.sum(tf.square(layer.apply(input, { training: true }) as tf.Tensor)) as tf.Scalar;
      return tf.tidy(() => tf.grad(loss)(x).dataSync().slice());
    };
    const run = (layer: tfl.layers.Layer) =>
      tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
    expectClose(run(shuffled(inner, { groups: 1 })), run(plain), 1e-4);
    expectClose(gradients(shuffled(inner, { groups: 1 })), gradients(plain), 1e-3);
    for (const [i, values] of weightValues(plain).entries())
      expectClose(weightValues(inner)[i]!, values, 1e-5);
  });

  test('each sample is normalized with strangers: every pair meets as often as any', () => {
    // Twins apart from all others: together in a group, they pull its mean.
    const layer = shuffled(batchNormalization({ center: false, scale: false }), { groups: 2, seed: 9 });
    const blockOf = shuffled(
      tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [1] })] }),
      { groups: 2, seed: 9 },
    );
    const x = tf.tensor2d([10, 10, 0, 0.1, 0.2, 0.3, 0.4, 0.5], [8, 1]);
    for (const one of [layer, blockOf]) {
      let together = 0;
      for (let step = 0; step < 300; step++) {
        const y = tf.tidy(() => [...(one.apply(x, { training: true }) as tf.Tensor).dataSync()]);
        // With its twin, a sample is 1 deviation away from the mean, alone sqrt(3).
        if (y[0]! < 1.4) together++;
      }
      // 3/7 of 300 is 129, with a deviation of 8.6.
      expect(Math.abs(together - 129)).toBeLessThan(40);
    }
  });

  test('a single layer is one with random groups, moving statistics included, unless it is frozen', () => {
    const inner = batchNormalization({ momentum: 0.5 });
    const layer = shuffled(inner, { groups: 3, seed: 6 });
    const ghost = ghostBatchNormalization({ groups: 3, assign: 'random', seed: 6, momentum: 0.5 });
    const x = randomTensor([9, 4], 1);
    const run = (one: tfl.layers.Layer, training = true) =>
      tf.tidy(() => (one.apply(x, { training }) as tf.Tensor).dataSync().slice());
    for (let step = 0; step < 2; step++) expect(run(layer)).toEqual(run(ghost));
    expect(weightValues(inner)).toEqual(weightValues(ghost));
    const before = weightValues(inner);
    freezeBatchNorm(layer);
    expect(run(layer)).toEqual(run(layer, false));
    expect(weightValues(inner)).toEqual(before);
  });

  test('leaks no tensors', async () => {
    const layer = shuffled(block(), { groups: 3 });
    const x = randomTensor([6, 4, 4, 2], 1);
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) tf.dispose(layer.apply(x, { training }) as tf.Tensor);
    });
  });
});

test('a model with a shuffled block trains, is saved and loaded', async () => {
  await tf.setBackend('cpu');
  const model = tfl.sequential({
    layers: [
      tfl.layers.inputLayer({ inputShape: [4, 4, 2] }),
      shuffled(block('saved'), { groups: 2, seed: 3 }),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const x = randomTensor([8, 4, 4, 2], 1);
  const before = weightValues(model);
  await model.fit(x, randomTensor([8, 1], 2), { epochs: 1, batchSize: 8, verbose: 0 });
  const changed = weightValues(model).map((values, i) => values.some((value, j) => value !== before[i]![j]));
  // A bias before a batch normalization has no effect.
  expect(changed.filter((one) => !one).length).toBeLessThanOrEqual(1);

  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const copy = await tfl.loadLayersModel(tf.io.fromMemory(artifacts!));
  const layer = copy.layers.find((one) => one instanceof Shuffled)!;
  expect([layer.groups, layer.seed]).toEqual([2, 3]);
  expect((copy.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync());
});

test('a layer’s own normalization batches hold again after the call, also when it fails', () => {
  const inner = tfl.sequential({
    layers: [batchNormalization({ inputShape: [2], normalizationBatchSize: 4, name: 'own' })],
  });
  const layer = shuffled(inner, { groups: 3 });
  const own = inner.layers[0] as ReturnType<typeof batchNormalization>;
  const runs = { count: 2, of: Int32Array.of(0, 0, 0, 0, 1, 1) };
  tf.dispose(layer.apply(tf.tensor2d(seededRandom(1).normals(12), [6, 2]), { training: true }) as tf.Tensor);
  expect(own.normalizationBatches(6, 1)).toEqual(runs);
  expect(() => layer.apply(tf.ones([1, 2]), { training: true })).toThrow('at least 2 values per channel');
  expect(own.normalizationBatches(6, 1)).toEqual(runs);
  expect(Object.hasOwn(own, 'call')).toBe(false);
});

test('a batch that is too small for its groups trains in as many as have two values per channel', () => {
  const values = seededRandom(3).normals(5, 2, 3);
  const x = tf.tensor2d(values, [5, 1]);
  const dense = () => batchNormalization({ inputShape: [1], center: false, scale: false });
  const wraps = [dense, () => tfl.sequential({ layers: [dense()] })];
  for (const wrap of wraps) {
    const y = tf.tidy(() =>
      Array.from((shuffled(wrap(), { groups: 4 }).apply(x, { training: true }) as tf.Tensor).dataSync()),
    );
    // Two samples of a group lie equally far from its mean, to both sides: the other three are the second group.
    const pairs = y.flatMap((a, i) => y.slice(i + 1).map((b, j) => [i, i + 1 + j, a + b] as const));
    const sums = pairs.filter(([, , sum]) => Math.abs(sum) < 1e-5);
    expect(sums).toHaveLength(1);
    const rest = values.filter((_, i) => i !== sums[0]![0] && i !== sums[0]![1]);
    const mean = rest.reduce((sum, value) => sum + value, 0) / 3;
    const variance = rest.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
    expectClose(
      y.filter((_, i) => i !== sums[0]![0] && i !== sums[0]![1]),
      rest.map((value) => (value - mean) / Math.sqrt(variance + 1e-3)),
      1e-5,
    );
  }
  // Images have values enough: each sample is a group of its own, as before.
  const images = shuffled(batchNormalization({ center: false, scale: false }), { groups: 4 });
  const y = tf.tidy(() =>
    tf.mean(images.apply(randomTensor([3, 4, 1], 1), { training: true }) as tf.Tensor, [1, 2]).dataSync(),
  );
  for (const mean of y) expect(Math.abs(mean)).toBeLessThan(1e-6);
});

test('what cannot be shuffled is refused', () => {
  const make = (options: { groups: number; seed?: number }) => () => shuffled(block('any'), options);
  expect(make({ groups: 0 })).toThrow(GroupingError);
  expect(make({ groups: 0 })).toThrow('shuffled: expected option groups to be an integer >= 1, got 0');
  expect(make({ groups: '2' as never })).toThrow('expected option groups to be an integer >= 1, got "2"');
  expect(make({ groups: 2, seed: 0.1 })).toThrow('expected option seed to be an integer, got 0.1');
  expect(make({ groups: 2, sed: 1 } as never)).toThrow('Did you mean seed?');
  const { layer, ...config } = shuffled(block('other'), { groups: 2 }).getConfig() as never as ShuffledConfig;
  const again = (more: object) => () =>
    new Shuffled({ ...config, layer: tfl.layers.reLU(), name: 'again', ...more });
  expect(layer).toBeDefined();
  expect(again({})().groups).toBe(2);
  expect(again({ groups: 0 })).toThrow("Layer 'again': expected groups to be an integer >= 1, got 0");
  expect(again({ group: 3 })).toThrow('Did you mean groups?');
  const merging = tfl.sequential({ layers: [tfl.layers.reshape({ targetShape: [1], inputShape: [2] })] });
  const changesSamples = shuffled(merging, { groups: 2 });
  expect(() => changesSamples.apply(tf.ones([4, 2]), { training: true })).toThrow();
  class Silent extends tfl.layers.Layer {
    static readonly className = 'Silent';
    override call = (): tf.Tensor[] => [];
  }
  const silent = shuffled(new Silent({ name: 'silent' }), { groups: 2 });
  expect(() => silent.call(tf.ones([4, 2]), { training: true })).toThrow(
    "expected 'silent' to give one output for 4 samples, got none.",
  );
});

describe('layers inside that choose their normalization batches', () => {
  let x: tf.Tensor2D;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    x = tf.tensor2d(seededRandom(2).normals(24, 1, 2), [8, 3]);
  });
  const trained = (layer: tfl.layers.Layer) =>
    tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
  const inBlock = (layer: tfl.layers.Layer) => tfl.sequential({ layers: [layer] });

  test('a ghost layer keeps its own groups, alone and in a block', () => {
    const ghost = () => ghostBatchNormalization({ groups: 1, inputShape: [3] });
    // One group: in whatever order, its samples are normalized alike.
    const expected = trained(ghost());
    for (const layer of [ghost(), inBlock(ghost())]) {
      expectClose(trained(shuffled(layer, { groups: 4 })), expected, 1e-5);
    }
  });

  test('a layer whose surroundings pass on nothing is told its groups, too', () => {
    class Alone extends tfl.layers.Layer {
      static readonly className = 'Alone';
      readonly layer = batchNormalization();
      override build(shape: tfl.Shape) {
        this.layer.build(shape);
        this.built = true;
      }
      override call(input: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }) {
        return this.layer.call(input, { training });
      }
    }
    const plain = () => tfl.sequential({ layers: [batchNormalization({ inputShape: [3] })] });
    expect(trained(shuffled(new Alone({}), { groups: 4 }))).toEqual(
      trained(shuffled(plain(), { groups: 4 })),
    );
  });

  test('a synchronized layer normalizes with the other replicas, and is shuffled when it is alone', () => {
    const sync = () => syncBatchNormalization({ inputShape: [3] });
    const stock = () => tfl.layers.batchNormalization({ inputShape: [3] });
    const whole = batchNormalization({ inputShape: [3] });
    const expected = tf.tidy(() => {
      const both = tf.concat([x, tf.add(x, 1)]);
      return (whole.apply(both, { training: true }) as tf.Tensor).dataSync().slice();
    });
    for (const wrap of [(layer: tfl.layers.Layer) => layer, inBlock]) {
      const replica = (rank: number) => (group: Group) => {
        const layer = shuffled(wrap(sync()), { groups: 4 });
        layer.build([null, 3]);
        setGroup(layer, group);
        return tf.tidy(() =>
          Array.from((layer.apply(tf.add(x, rank), { training: true }) as tf.Tensor).dataSync()),
        );
      };
      expectClose(inLockstep([replica(0), replica(1)]).flat(), expected, 1e-5);
      const [alone, ordinary] = [sync, stock].map((make) => shuffled(wrap(make()), { groups: 4 }));
      expect(trained(alone!)).toEqual(trained(ordinary!));
    }
  });
});

test('penalties of a layer and of a block count as without shuffling', async () => {
  await tf.setBackend('cpu');
  const dense = () =>
    tfl.layers.dense({
      units: 3,
      inputShape: [2],
      kernelInitializer: 'ones',
      kernelRegularizer: tfl.regularizers.l2({ l2: 0.5 }),
    });
  const inner = [dense, () => tfl.sequential({ layers: [dense(), tfl.layers.batchNormalization()] })];
  for (const layer of inner) {
    const model = tfl.sequential({
      layers: [tfl.layers.inputLayer({ inputShape: [2] }), shuffled(layer(), { groups: 2 })],
    });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: () => tf.scalar(0) });
    // 6 weights of 1, which the penalty alone moves.
    const loss = await model.trainOnBatch(tf.ones([4, 2]), tf.ones([4, 3]));
    expect(loss).toBeCloseTo(3, 5);
    expectClose(weightValues(model)[0]!, new Float32Array(6).fill(0.9), 1e-5);
  }
});
