import { convert } from '@rebatch/layers';
import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  GhostBatchNormalization,
  type GhostBatchNormalizationConfig,
  GroupingError,
  ghostBatchNormalization,
} from '../index.ts';
import { assignGroups } from './assign-groups.ts';
import { groupOfEach } from './groups.test.support.ts';
import '../register.ts';

const SHAPE = [7, 2, 2, 3];
const [SAMPLES, POSITIONS, CHANNELS] = [7, 4, 3];
const CONFIGS: GhostBatchNormalizationConfig[] = [
  { groupSize: 3 },
  { groups: 2 },
  { groupSize: 3, assign: 'strided' },
  { groups: 3, assign: 'strided' },
  { groupSize: 2, assign: 'random', seed: 4 },
  // A batch no larger than a group.
  { groupSize: 8 },
];

function build(config: GhostBatchNormalizationConfig, shape = SHAPE) {
  const layer = ghostBatchNormalization({ name: 'ghost', momentum: 0.9, ...config });
  layer.build(shape);
  randomizeWeights(layer, 5);
  return layer;
}

/** In float64: outputs, and the means over groups, weighted by samples, of their means and variances. */
function reference(
  x: ArrayLike<number>,
  groups: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
) {
  const number = Math.max(...Array.from(groups)) + 1;
  const y = new Float64Array(x.length);
  const mean = new Float64Array(CHANNELS);
  const variance = new Float64Array(CHANNELS);
  const own = (group: number, c: number) =>
    Array.from({ length: x.length }, (_, i) => i).filter(
      (i) => i % CHANNELS === c && groups[Math.floor(i / (POSITIONS * CHANNELS))] === group,
    );
  for (let group = 0; group < number; group++) {
    for (let c = 0; c < CHANNELS; c++) {
      const places = own(group, c);
      const m = places.reduce((sum, i) => sum + x[i]!, 0) / places.length;
      const v = places.reduce((sum, i) => sum + (x[i]! - m) ** 2, 0) / places.length;
      mean[c]! += (m * places.length) / (SAMPLES * POSITIONS);
      variance[c]! += (v * places.length) / (SAMPLES * POSITIONS);
      for (const i of places) y[i] = ((x[i]! - m) / Math.sqrt(v + 1e-3)) * gamma[c]! + beta[c]!;
    }
  }
  return { y, mean, variance };
}

/** The groups of the layer's `call`-th training call. */
const groupsOf = (
  { assign = 'consecutive', seed = 0, ...count }: GhostBatchNormalizationConfig,
  call: number,
) =>
  groupOfEach(
    SAMPLES,
    assignGroups(SAMPLES, count, assign, POSITIONS, (Math.imul(seed, 0x9e3779b1) + call) | 0),
  );

onEachBackend(() => {
  test.each(CONFIGS)('%j: normalizes its groups as in float64, and moves by their mean', (config) => {
    const layer = build(config);
    const x = randomTensor(SHAPE, 1);
    for (const call of [0, 1]) {
      const [gamma, beta, mean, variance] = weightValues(layer) as [Float32Array, ...Float32Array[]];
      const expected = reference(x.dataSync(), groupsOf(config, call), gamma, beta!);
      const y = tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
      expectClose(y, expected.y, 1e-5);
      const [, , nextMean, nextVariance] = weightValues(layer);
      expectClose(
        nextMean!,
        expected.mean.map((value, c) => 0.9 * mean![c]! + 0.1 * value),
        1e-5,
      );
      expectClose(
        nextVariance!,
        expected.variance.map((value, c) => 0.9 * variance![c]! + 0.1 * value),
        1e-5,
      );
    }
  });

  test.each(CONFIGS)('%j: gradients', (config) => {
    const layer = build(config);
    const [x, dy] = [randomTensor(SHAPE, 1), randomTensor(SHAPE, 2)];
    const [gamma, beta] = weightValues(layer) as [Float32Array, Float32Array];
    const [dx, dgamma, dbeta] = tf.tidy(() => {
      const variables = layer.trainableWeights.map((weight) => weight.read());
      const f = (input: tf.Tensor) => layer.apply(input, { training: true }) as tf.Tensor;
      return tf
        .grads(f as never)([x, ...variables], dy)
        .map((gradient) => gradient.dataSync().slice());
    });
    const groups = groupsOf(config, 0);
    const loss = (at: ArrayLike<number>, scale: ArrayLike<number>, offset: ArrayLike<number>) =>
      reference(at, groups, scale, offset).y.reduce((sum, value, i) => sum + value * dy.dataSync()[i]!, 0);
    const numeric = (values: ArrayLike<number>, f: (moved: Float64Array) => number) =>
      Float64Array.from({ length: values.length }, (_, i) => {
        const at = (offset: number) =>
          f(Float64Array.from(values, (value, j) => (i === j ? value + offset : value)));
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
    expectClose(
      dx!,
      numeric(x.dataSync(), (moved) => loss(moved, gamma, beta)),
      1e-4,
    );
    expectClose(
      dgamma!,
      numeric(gamma, (moved) => loss(x.dataSync(), moved, beta)),
      1e-4,
    );
    expectClose(
      dbeta!,
      numeric(beta, (moved) => loss(x.dataSync(), gamma, moved)),
      1e-4,
    );
  });

  test('inference, and training on population statistics, are those of an ordinary layer', () => {
    const layer = build({ groups: 3, assign: 'random' });
    const ordinary = tfl.layers.batchNormalization({ momentum: 0.9 });
    ordinary.build(SHAPE);
    const x = randomTensor(SHAPE, 1);
    tf.tidy(() => {
      ordinary.setWeights(layer.getWeights());
      const expected = (convert(ordinary).apply(x) as tf.Tensor).dataSync();
      expect((layer.apply(x) as tf.Tensor).dataSync()).toEqual(expected);
      layer.trainingStatistics = 'population';
      expect((layer.apply(x, { training: true }) as tf.Tensor).dataSync()).toEqual(expected);
    });
  });

  test('leaks no tensors', async () => {
    const layer = build({ groupSize: 3, assign: 'random' });
    const x = randomTensor(SHAPE, 1);
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) tf.dispose(layer.apply(x, { training }) as tf.Tensor);
    });
  });
});

test('two layers of one seed draw the same groups, of two seeds others', () => {
  const x = randomTensor(SHAPE, 1);
  const run = (seed: number) => {
    const layer = build({ groups: 3, assign: 'random', seed });
    return [0, 1, 2].map(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync());
  };
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
  expect(run(1)[0]).not.toEqual(run(1)[1]);
});

test.each(CONFIGS)('%j: survives saving and loading', async (config) => {
  const model = tfl.sequential({ layers: [ghostBatchNormalization({ ...config, inputShape: [3] })] });
  const topology = JSON.parse(model.toJSON() as string);
  const copy = await tfl.models.modelFromJSON({ modelTopology: topology } as never);
  expect(copy.layers[0]).toBeInstanceOf(GhostBatchNormalization);
  expect(copy.layers[0]!.getConfig()).toEqual(model.layers[0]!.getConfig());
});

test.each([
  [{}, 'expected groupSize or groups, got neither'],
  [{ groupSize: 2, groups: 2 }, 'expected groupSize or groups, got both'],
  [{ groups: 0 }, 'expected groups to be an integer >= 1, got 0'],
  [{ groups: '4' }, 'expected groups to be an integer >= 1, got "4"'],
  [{ groupSize: 1.5 }, 'expected groupSize to be an integer >= 1, got 1.5'],
  [{ groupSize: [2] }, 'expected groupSize to be an integer >= 1, got [2]'],
  [
    { groupsize: 2 },
    'expected only options that there are, got one of the name "groupsize". Did you mean groupSize?',
  ],
  [
    { groups: 2, assign: 'mixed' },
    "expected assign to be 'consecutive', 'strided' or 'random', got \"mixed\"",
  ],
  [{ groups: 2, seed: 0.5 }, 'expected seed to be an integer, got 0.5'],
])('%j is refused', (config, message) => {
  const make = () => ghostBatchNormalization({ name: 'bn', ...config } as GhostBatchNormalizationConfig);
  expect(make).toThrow(GroupingError);
  expect(make).toThrow(`Layer 'bn': ${message}`);
});

test('groups of a single value are refused, and nothing has moved', () => {
  for (const [config, samples] of [
    [{ groupSize: 1 }, 5],
    [{ groups: 4 }, 1],
  ] as const) {
    const layer = build(config, [samples, 3]);
    const before = weightValues(layer);
    const train = () => layer.apply(randomTensor([samples, 3], 1), { training: true });
    expect(train).toThrow('at least 2 values per channel');
    expect(weightValues(layer)).toEqual(before);
  }
});

test('a last, small batch of a dense model trains in as many groups as have two values', async () => {
  const layer = ghostBatchNormalization({
    groups: 4,
    inputShape: [1],
    momentum: 0,
    center: false,
    scale: false,
  });
  const model = tfl.sequential({ layers: [layer, tfl.layers.dense({ units: 1 })] });
  model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
  // 69 samples in batches of 32 leave 5: groups of 2 and 3.
  const values = Array.from({ length: 69 }, (_, i) => (i * i) % 23);
  await model.fit(tf.tensor2d(values, [69, 1]), tf.zeros([69, 1]), {
    batchSize: 32,
    shuffle: false,
    verbose: 0,
  });
  const last = values.slice(64);
  const momentsOf = (group: readonly number[]) => {
    const mean = group.reduce((sum, value) => sum + value, 0) / group.length;
    return { mean, variance: group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / group.length };
  };
  const groups = [last.slice(0, 2), last.slice(2)].map((group) => ({
    share: group.length / 5,
    ...momentsOf(group),
  }));
  const meanOf = (what: 'mean' | 'variance') => groups.reduce((sum, own) => sum + own.share * own[what], 0);
  const [mean, variance] = weightValues(layer);
  expectClose(mean!, [meanOf('mean')], 1e-5);
  expectClose(variance!, [meanOf('variance')], 1e-5);
});
