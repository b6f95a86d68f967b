// What works on ordinary layers works on each domain's.
import { freezeBatchNorm, unfreezeBatchNorm } from '@rebatch/layers';
import { withStatistics } from '@rebatch/models';
import { recalibrate } from '@rebatch/recalibrate';
import { onEachBackend, randomizeWeights, randomTensor, weightsByName } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  adapt,
  applyStatistics,
  captureStatistics,
  domainBatchNormalization,
  type Sharing,
  withDomain,
} from '../index.ts';
import { momentsOfDomains, normalizeByDomain } from './reference.test.support.ts';

const DOMAINS = ['a', 'b'];

function inScope(statistics: { train?: Sharing; population?: Sharing } = {}) {
  const model = tfl.sequential({
    layers: [domainBatchNormalization({ name: 'bn', domains: DOMAINS, inputShape: [3], statistics })],
  });
  randomizeWeights(model, 5);
  return model;
}

function withIds(train: Sharing) {
  const [input, ids] = [tfl.input({ shape: [3] }), tfl.input({ shape: [1] })];
  const layer = domainBatchNormalization({
    name: 'bn',
    domains: DOMAINS,
    from: 'input',
    statistics: { train },
  });
  const model = tfl.model({ inputs: [input, ids], outputs: layer.apply([input, ids]) as tfl.SymbolicTensor });
  randomizeWeights(model, 5);
  return model;
}

const predict = (model: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]) =>
  tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync<'float32'>().slice());

onEachBackend(() => {
  test('recalibrate in a scope writes the statistics of that domain', async () => {
    const model = inScope();
    const x = randomTensor([20, 3], 1);
    const before = weightsByName(model);
    const report = await withDomain(model, 'b', () => recalibrate(model, [x]));
    const after = weightsByName(model);
    const { mean, variance } = momentsOfDomains(
      { x: x.dataSync(), ids: Array(20).fill(0), positions: 1, channels: 3 },
      [0],
    );
    expectClose(after['bn/domain_1/moving_mean']!, mean, 1e-6);
    expectClose(after['bn/domain_1/moving_variance']!, variance, 1e-6);
    for (const name of ['bn/gamma', 'bn/beta', 'bn/moving_mean', 'bn/moving_variance']) {
      expect(after[name]).toEqual(before[name]);
    }
    expect(report.layers.map(({ name, values }) => [name, values])).toEqual([
      ['bn/a', 0],
      ['bn/b', 20],
    ]);
  });

  test.each(['shared', 'per-domain'] as const)(
    'recalibrate on batches that mix domains, train %s',
    async (train) => {
      const model = withIds(train);
      const [x, ids] = [randomTensor([6, 3], 1), [1, 0, 1, 1, 0, 0]];
      await recalibrate(model, [[x, tf.tensor2d(ids, [6, 1])]]);
      const batch = { x: x.dataSync(), ids, positions: 1, channels: 3 };
      const after = weightsByName(model);
      const [a, b] = [0, 1].map((domain) => momentsOfDomains(batch, [domain]));
      expectClose(after['bn/moving_mean']!, a!.mean, 1e-5);
      expectClose(after['bn/moving_variance']!, a!.variance, 1e-5);
      expectClose(after['bn/domain_1/moving_mean']!, b!.mean, 1e-5);
      expectClose(after['bn/domain_1/moving_variance']!, b!.variance, 1e-5);
    },
  );

  test.each(['shared', 'per-domain'] as const)('mini-batch statistics at inference, train %s', (train) => {
    const model = withIds(train);
    const [x, ids] = [randomTensor([6, 3], 1), [1, 0, 1, 1, 0, 0]];
    const batch = { x: x.dataSync(), ids, positions: 1, channels: 3 };
    const weights = weightsByName(model);
    const y = withStatistics(model, 'batch', () => predict(model, [x, tf.tensor2d(ids, [6, 1])]));
    const affine = { gamma: weights['bn/gamma']!, beta: weights['bn/beta']! };
    const of = (domain: number) => momentsOfDomains(batch, train === 'shared' ? [0, 1] : [domain]);
    expectClose(
      y,
      normalizeByDomain(batch, (domain) => ({ ...of(domain), ...affine })),
      1e-5,
    );
  });

  test.each(['scope', 'input'] as const)(
    'frozen, training is the fixed map of inference (from %s)',
    (from) => {
      const model = from === 'scope' ? inScope() : withIds('per-domain');
      const x = randomTensor([4, 3], 1);
      const inputs = from === 'scope' ? x : [x, tf.tensor2d([0, 1, 1, 0], [4, 1])];
      const within = <T>(fn: () => T) => (from === 'scope' ? withDomain(model, 'b', fn) : fn());
      const run = (training: boolean) =>
        within(() => tf.tidy(() => (model.apply(inputs, { training }) as tf.Tensor).dataSync().slice()));
      const before = weightsByName(model);
      const inferred = run(false);
      expect(run(true)).not.toEqual(inferred);
      model.setWeights(Object.values(before).map((values) => tf.tensor1d(values)));
      freezeBatchNorm(model);
      expect(run(true)).toEqual(inferred);
      expect(weightsByName(model)).toEqual(before);
      // No gradient for what is fixed.
      const { grads } = tf.variableGrads(
        () =>
          within(() =>
            tf.sum(tf.mul(model.apply(inputs, { training: true }) as tf.Tensor, scale)),
          ) as tf.Scalar,
      );
      expect(Object.keys(grads)).toEqual([scale.name]);
      unfreezeBatchNorm(model);
      expect(run(true)).not.toEqual(inferred);
    },
  );

  test('adapt in a scope moves the statistics of that domain, layer by layer', async () => {
    const model = inScope();
    const x = randomTensor([20, 3], 1);
    const before = weightsByName(model);
    const report = await withDomain(model, 'b', () => adapt(model, [x], { prior: 5 }));
    const after = weightsByName(model);
    const target = momentsOfDomains(
      { x: x.dataSync(), ids: Array(20).fill(0), positions: 1, channels: 3 },
      [0],
    );
    const blended = (old: Float32Array, fresh: number[]) => fresh.map((v, c) => (5 * old[c]! + 20 * v) / 25);
    const [mean, variance] = ['bn/domain_1/moving_mean', 'bn/domain_1/moving_variance'];
    expectClose(after[mean!]!, blended(before[mean!]!, target.mean), 1e-6);
    expectClose(after[variance!]!, blended(before[variance!]!, target.variance), 1e-6);
    for (const name of ['bn/gamma', 'bn/beta', 'bn/moving_mean', 'bn/moving_variance']) {
      expect(after[name]).toEqual(before[name]);
    }
    expect(report).toMatchObject({ mode: 'layerwise', samples: 20 });
  });

  test('statistics of all domains are captured and put back', async () => {
    const model = inScope();
    const [x, before] = [randomTensor([5, 3], 1), weightsByName(model)];
    const statistics = await captureStatistics(model);
    expect(statistics.map(({ name }) => name)).toEqual(['bn/a', 'bn/b']);
    withDomain(model, 'a', () => tf.tidy(() => void model.apply(x, { training: true })));
    expect(weightsByName(model)).not.toEqual(before);
    applyStatistics(model, statistics);
    expect(weightsByName(model)).toEqual(before);
  });
});

await tf.setBackend('cpu');
const scale = tf.variable(tf.scalar(2), true, 'scale_of_the_test');
