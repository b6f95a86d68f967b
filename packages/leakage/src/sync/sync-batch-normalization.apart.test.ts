import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { NormalizationBatchError } from '@rebatch/core';
import { BatchNormalization, batchNormalization, freezeBatchNorm } from '@rebatch/layers';
import { expectClose, expectNoLeaks, referenceMoments } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
// For its side effect, too: it registers the gradients of TensorFlow.js's own ops.
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  convertToSync,
  type Group,
  GroupError,
  inLockstep,
  setGroup,
  soloGroup,
  syncBatchNormalization,
} from '../index.ts';
import '../register.ts';
import { apply, CHANNELS, type Parts, randomParts, referenceOf } from './sync.test.support.ts';

const TOLERANCE = 1e-5;
const apart = (parts: Parts) =>
  inLockstep(parts.x.map((_, rank) => (group: Group) => apply(parts, { rank }, group)));
const joined = (arrays: readonly Float32Array[]) => arrays.flatMap((array) => Array.from(array));
const added = (arrays: readonly Float32Array[]) =>
  arrays[0]!.map((_, i) => arrays.reduce((sum, array) => sum + array[i]!, 0));
const never: Group = {
  rank: 0,
  size: 2,
  allReduceSum: () => {
    throw new Error('asked the group');
  },
};

describe.each(['cpu', 'wasm'])('%s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  test.each([
    ['equal', [4, 4]],
    ['unequal', [1, 7, 2]],
    ['empty', [3, 0, 5]],
    ['all but one empty', [0, 6]],
  ])('replicas with %s batches give the values and gradients of the whole batch', (_, samples) => {
    const parts = randomParts(samples, samples.length);
    const expected = referenceOf(parts);
    const got = apart(parts);
    expect(got.map(({ shape }) => shape[0])).toEqual(samples);
    expectClose(joined(got.map(({ y }) => y)), expected.y, TOLERANCE, 'y');
    expectClose(joined(got.map(({ dx }) => dx)), expected.dx, TOLERANCE, 'dx');
    expectClose(added(got.map(({ dgamma }) => dgamma)), expected.dgamma, TOLERANCE, 'dgamma');
    expectClose(added(got.map(({ dbeta }) => dbeta)), expected.dbeta, TOLERANCE, 'dbeta');
  });

  test('the moving statistics move to the moments of the whole batch, alike on all replicas', () => {
    const parts = randomParts([2, 0, 9], 8, 300);
    const all = joined(parts.x);
    const layout = { outer: all.length / CHANNELS, channels: CHANNELS, inner: 1, groups: 1 };
    const expected = referenceMoments(all, layout);
    const got = apart(parts);
    // With a momentum of 0 they are the moments, but for a - (a - b).
    expectClose(got[0]!.mean, expected.mean, TOLERANCE, 'mean');
    expectClose(got[0]!.variance, expected.variance, 1e-4, 'variance');
    for (const { mean, variance } of got.slice(1)) {
      expect(mean).toEqual(got[0]!.mean);
      expect(variance).toEqual(got[0]!.variance);
    }
  });

  test('the gradient is the slope of what the group computes', () => {
    const parts = randomParts([2, 3], 9);
    const loss = (moved: Parts) => {
      const ys = joined(apart(moved).map(({ y }) => y));
      return joined(moved.dy).reduce((sum, dy, i) => sum + dy * ys[i]!, 0);
    };
    const { dx } = apart(parts)[1]!;
    for (const i of [0, 17, 61]) {
      const shifted = (by: number) => {
        const second = parts.x[1]!.slice();
        second[i]! += by;
        return loss({ ...parts, x: [parts.x[0]!, second] });
      };
      expect((shifted(0.02) - shifted(-0.02)) / 0.04).toBeCloseTo(dx[i]!, 2);
    }
  });

  test('keeps no tensors', async () => {
    const parts = randomParts([2, 3], 10);
    // Runs that are cut off in the backward pass included.
    await expectNoLeaks(tf, () => void apart(parts));
  });
});

describe('without synchronizing', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('inference, frozen layers and population statistics never ask the group', () => {
    const layer = syncBatchNormalization({ group: never, inputShape: [3] });
    const model = tfl.sequential({ layers: [layer] });
    const x = tf.ones([4, 3]);
    const apply = (training: boolean) => (layer.apply(x, { training }) as tf.Tensor).dispose();
    expect(() => apply(true)).toThrow('asked the group');
    apply(false);
    layer.inferenceStatistics = 'batch';
    apply(false);
    layer.trainingStatistics = 'population';
    apply(true);
    layer.trainingStatistics = 'batch';
    freezeBatchNorm(model);
    apply(true);
    x.dispose();
  });

  test('a group of one is batch normalization', async () => {
    const parts = randomParts([6], 11);
    const expected = referenceOf(parts);
    const [got] = apart(parts);
    expectClose(got!.y, expected.y, TOLERANCE, 'y');
    expectClose(got!.dx, expected.dx, TOLERANCE, 'dx');
  });

  test('a model with it is saved without its group, and loaded', async () => {
    const layer = syncBatchNormalization({ group: never, momentum: 0.7, inputShape: [3] });
    const model = tfl.sequential({ layers: [layer] });
    const loaded = await tfl.models.modelFromJSON({ modelTopology: JSON.parse(model.toJSON() as string) });
    const copy = loaded.layers[0] as typeof layer;
    expect(copy.getClassName()).toBe('SyncBatchNormalization');
    expect([copy.momentum, copy.group.size]).toEqual([0.7, 1]);
    setGroup(loaded, never);
    expect(copy.group).toBe(never);
  });

  test('converting a model keeps its weights and predictions, and tells it its group', () => {
    const model = tfl.sequential({
      layers: [tfl.layers.batchNormalization({ inputShape: [3] }), tfl.layers.dense({ units: 2 })],
    });
    const x = tf.randomNormal([4, 3]);
    const predicted = () => (model.predict(x) as tf.Tensor).dataSync();
    const before = predicted();
    expect(convertToSync(model, never)).toBe(model);
    expect(predicted()).toEqual(before);
    expect(() => model.layers[0]!.apply(x, { training: true })).toThrow('asked the group');
    x.dispose();
  });
});

describe('refuses', () => {
  test('options that do not exist, and what is no number', () => {
    const make = (config: object) => () => syncBatchNormalization({ name: 'bn', ...config });
    expect(make({ groop: soloGroup })).toThrow('Did you mean group?');
    expect(make({ momentum: '0.9' })).toThrow("Layer 'bn': expected momentum to be");
  });

  test('what would split the normalization batch', () => {
    expect(() => syncBatchNormalization({ normalizationBatchSize: 4 } as object)).toThrow(GroupError);
    const split = tfl.sequential({
      layers: [batchNormalization({ normalizationBatchSize: 4, inputShape: [3] })],
    });
    expect(() => convertToSync(split)).toThrow(/normalizationBatchSize/);
    expect(split.layers[0]!.getClassName()).toBe('BatchNormalization');
    const layer = syncBatchNormalization({ group: never, name: 'bn' });
    layer.normalizationBatchSize = 4;
    const x = tf.ones([8, 3]);
    expect(() => layer.apply(x, { training: true })).toThrow(/Layer 'bn': normalizationBatchSize.*got 4/);
    x.dispose();
  });

  test.each([
    [5, "expected the group's size to be an integer >= 1, got undefined"],
    [{ ...never, rank: 2 }, "expected the group's rank to be an integer >= 0 and <= 1, got 2"],
    [{ rank: 0, size: 2 }, "expected the group's allReduceSum to be a function, got undefined"],
  ])('a group that is none: %j', (group, message) => {
    const none = group as Group;
    const model = tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [3] })] });
    for (const act of [
      () => syncBatchNormalization({ group: none, name: 'bn' }),
      () => convertToSync(model, none),
      () => setGroup(model, none),
    ]) {
      expect(act).toThrow(GroupError);
      expect(act).toThrow(message);
    }
    expect(model.layers[0]).not.toBeInstanceOf(BatchNormalization);
  });

  test('replicas that are no functions', () => {
    expect(() => inLockstep(undefined as never)).toThrow(GroupError);
    expect(() => inLockstep([5] as never)).toThrow(/a list of functions, one per replica, got \[5\]/);
  });

  test('values that are not finite, by name of the layer and the replica', () => {
    const parts = randomParts([2, 2], 12);
    parts.x[1]![7] = Number.NaN;
    const run = () =>
      inLockstep(
        [0, 1].map((rank) => (group: Group) => apply(parts, { rank, config: { name: 'bn' } }, group)),
      );
    expect(run).toThrow(GroupError);
    expect(run).toThrow(/Layer 'bn': the batch of replica 1 .* not finite \(channel 2\)/);
  });

  test('a single value per channel in all replicas together, and moves nothing', () => {
    // As if the other replica had none.
    const group: Group = { rank: 0, size: 2, allReduceSum: () => {} };
    const layer = syncBatchNormalization({ group, inputShape: [3] });
    const x = tf.ones([1, 3]);
    expect(() => layer.apply(x, { training: true })).toThrow(NormalizationBatchError);
    expect(Array.from(layer.movingMean.read().dataSync())).toEqual([0, 0, 0]);
    x.dispose();
  });

  test('backends that would have to stall', async () => {
    tf.registerBackend('some-gpu', tf.findBackendFactory('cpu')!);
    await tf.setBackend('some-gpu');
    try {
      const layer = syncBatchNormalization({ group: never, name: 'bn' });
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      layer.build([null, 2]);
      expect(() => layer.call(x, { training: true })).toThrow(/Layer 'bn'.*'some-gpu' cannot do.*'wasm'/);
      x.dispose();
    } finally {
      await tf.setBackend('cpu');
      tf.removeBackend('some-gpu');
    }
  });
});

describe('in lockstep', () => {
  test('replicas that sum different things are an error', () => {
    const replica = (sums: number, length: number) => (group: Group) => {
      for (let i = 0; i < sums; i++) group.allReduceSum(new Float64Array(length));
    };
    expect(() => inLockstep([replica(1, 2), replica(1, 3)])).toThrow(/replica 1 sums 3 values, replica 0 2/);
    expect(() => inLockstep([replica(2, 2), replica(1, 2)])).toThrow(
      /replica 0 asks for sum 2, replica 1 for only 1/,
    );
  });

  test('what a replica throws is thrown', () => {
    const broken = () => {
      throw new RangeError('mine');
    };
    expect(() => inLockstep([(group) => group.allReduceSum(new Float64Array(1)), broken])).toThrow(
      RangeError,
    );
  });

  test('sums are added up in the order of ranks', () => {
    const values = [1e16, 1, -1e16, 1];
    const sums = inLockstep(
      values.map((value) => (group: Group) => {
        const own = Float64Array.of(value);
        group.allReduceSum(own);
        return own[0];
      }),
    );
    expect(sums).toEqual([1, 1, 1, 1]);
  });
});
