import { BatchNormalization, unfreezeBatchNorm } from '@rebatch/layers';
import { expectNoLeaks } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { held, tensorOf, weightsOf, withBatches } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import * as errors from '../index.ts';
import { recalibrate } from '../recalibrate.ts';
import { type FreezeStatisticsOptions, freezeStatistics } from './freeze-statistics.ts';
import { type Callbacks, compiled, rows, stateOf, train, WAYS, WIDTH } from './training.test.helpers.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const NAMES = ['bn0', 'bn1'];
const statistics = (model: tfl.LayersModel) =>
  NAMES.map((name) => held(model, name)).map(({ mean, variance }) => [[...mean], [...variance]]);
const affine = (model: tfl.LayersModel) =>
  NAMES.map((name) =>
    (model.getLayer(name).getWeights().slice(0, 2) as tf.Tensor[]).map((weight) => [...weight.dataSync()]),
  );
const frozen = (model: tfl.LayersModel) =>
  NAMES.map((name) => model.getLayer(name)).map(
    (layer) => layer instanceof BatchNormalization && layer.frozen?.affine,
  );
const seen = (args: tfl.CustomCallbackArgs) => new tfl.CustomCallback(args);

test.each(WAYS.flatMap((way) => (['fixed', 'trainable'] as const).map((kind) => [way, kind] as const)))(
  '%s, affine %s: precise statistics at the first of the last epochs, which do not move from then on',
  (way, kind) =>
    withBatches(rows, WIDTH, async (data) => {
      const model = compiled();
      const begun: { weights: tf.Tensor[]; statistics: number[][][]; frozen: unknown[] }[] = [];
      const after: { statistics: number[][][]; affine: number[][][]; frozen: unknown[] }[] = [];
      const onFreeze: [number, number][] = [];
      const ours = freezeStatistics({
        lastEpochs: 2,
        data,
        affine: kind,
        recalibrate: { samples: 24 },
        onFreeze: (epoch, report) => void onFreeze.push([epoch, report.samples]),
      });
      await train(model, way, [
        seen({
          onEpochBegin: () =>
            void begun.push({
              weights: model.getWeights().map((weight) => tf.clone(weight)),
              statistics: statistics(model),
              frozen: frozen(model),
            }),
        }),
        ours,
        seen({
          onEpochBegin: () =>
            void after.push({ statistics: statistics(model), affine: affine(model), frozen: frozen(model) }),
        }),
      ]);
      expect(onFreeze).toEqual([[3, 24]]);
      expect(begun.map((epoch) => epoch.frozen[0])).toEqual([false, false, false, false, kind]);
      expect(after.map((epoch) => epoch.frozen)).toEqual(
        [0, 0, 0, kind, kind].map((x) => [x || false, x || false]),
      );
      // Nothing happens before, and the moving averages move.
      for (const epoch of [0, 1, 2]) {
        expect(after[epoch]!.statistics).toEqual(begun[epoch]!.statistics);
        expect(begun[epoch + 1]!.statistics).not.toEqual(begun[epoch]!.statistics);
      }
      const copy = compiled();
      copy.setWeights(begun[3]!.weights);
      expect(statistics(copy)).not.toEqual(after[3]!.statistics);
      await recalibrate(copy, data, { samples: 24 });
      expect(after[3]!.statistics).toEqual(statistics(copy));
      expect(begun[4]!.statistics).toEqual(statistics(copy));
      expect(statistics(model)).toEqual(statistics(copy));
      expect(frozen(model)).toEqual([kind, kind]);
      const moved = affine(model).map((layer, l) =>
        layer.map((weight, i) => `${weight}` !== `${after[3]!.affine[l]![i]}`),
      );
      expect(moved.flat()).toEqual(Array(4).fill(kind === 'trainable'));
      expect([...model.getLayer('dense0').getWeights()[0]!.dataSync()]).not.toEqual([
        ...begun[3]!.weights[0]!.dataSync(),
      ]);
    }),
);

test('all epochs, and one instance for several trainings', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    const onFreeze: number[] = [];
    const ours = freezeStatistics({ lastEpochs: 3, data, onFreeze: (epoch) => void onFreeze.push(epoch) });
    await train(model, 'fit', ours, 3);
    expect(onFreeze).toEqual([0]);
    unfreezeBatchNorm(model);
    await train(model, 'fitDataset', [ours], 4);
    expect(onFreeze).toEqual([0, 1]);
  }));

test('a training that is resumed within its last epochs freezes at once what is not frozen yet', () =>
  withBatches(rows, WIDTH, async (data) => {
    const [xs, ys] = [tensorOf(rows[0]!, WIDTH), tf.zeros([8, 2])];
    const onFreeze: number[] = [];
    const model = compiled();
    const resume = (initialEpoch: number) =>
      model.fit(xs, ys, {
        initialEpoch,
        epochs: 5,
        verbose: 0,
        callbacks: freezeStatistics({ lastEpochs: 3, data, onFreeze: (epoch) => void onFreeze.push(epoch) }),
      });
    await resume(3);
    expect(onFreeze).toEqual([3]);
    const before = statistics(model);
    await resume(4);
    expect(onFreeze).toEqual([3]);
    expect(statistics(model)).toEqual(before);
    tf.dispose([xs, ys]);
  }));

test('training that is stopped before is not frozen', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    await train(model, 'fit', [
      freezeStatistics({ lastEpochs: 2, data }),
      tfl.callbacks.earlyStopping({ monitor: 'loss', baseline: -1 }),
    ]);
    expect(frozen(model)).toEqual([false, false]);
  }));

test('keeps no tensors', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    await expectNoLeaks(tf, () =>
      train(unfreezeBatchNorm(model), 'fit', freezeStatistics({ lastEpochs: 1, data }), 2),
    );
  }));

test.each<[Partial<FreezeStatisticsOptions>, RegExp]>([
  [{ lastEpochs: 0 }, /lastEpochs to be an integer >= 1, got 0/],
  [{ lastEpochs: 1.5 }, /lastEpochs.*got 1.5/],
  [{ lastEpochs: undefined as never }, /lastEpochs.*got undefined/],
  [{ affine: 'free' as never }, /affine to be 'fixed' or 'trainable', got "free"/],
  [{ recalibrate: { samples: 0 } }, /option recalibrate: expected option samples to be an integer/],
  ...['1', [1], true, null].map((value): [Partial<FreezeStatisticsOptions>, RegExp] => [
    { lastEpochs: value as never },
    /freezeStatistics: expected option lastEpochs to be an integer >= 1, got /,
  ]),
  [{ onFreeze: 'log' as never }, /option onFreeze to be a function/],
  [{ lastEpoch: 3 } as never, /"lastEpoch"\. Did you mean lastEpochs\?/],
  [{ recalibrate: { priors: 8 } as never }, /"priors"\. Did you mean prior\?/],
])('options out of their range: %o', (options, message) => {
  const make = () => freezeStatistics({ lastEpochs: 1, data: [], ...options });
  expect(make).toThrow(errors.RecalibrationOptionError);
  expect(make).toThrow(message);
});

test('data that cannot do is refused before training', () => {
  const refused = (options: Omit<FreezeStatisticsOptions, 'lastEpochs'>, message: RegExp) => {
    expect(() => freezeStatistics({ lastEpochs: 1, ...options })).toThrow(errors.InvalidDataError);
    expect(() => freezeStatistics({ lastEpochs: 1, ...options })).toThrow(message);
  };
  const generator = (function* (): Generator<tf.Tensor> {})();
  const endless = { size: Number.POSITIVE_INFINITY, iterator: () => Promise.reject(new Error()) };
  refused({ data: undefined as never }, /freezeStatistics: expected option data.*got undefined/);
  refused({ data: 3 as never }, /got 3/);
  refused({ data: generator, recalibrate: { mode: 'layerwise' } }, /read several times/);
  refused({ data: endless }, /for ever/);
  freezeStatistics({ lastEpochs: 1, data: generator });
  freezeStatistics({ lastEpochs: 1, data: endless, recalibrate: { samples: 100 } });
});

test.each(WAYS)('%s rejects at its start when there are fewer epochs, and no layer or model', async (way) => {
  const model = compiled();
  const before = await stateOf(model);
  const fails = (callbacks: Callbacks, trained: tfl.LayersModel = model) =>
    train(trained, way, callbacks).then(
      () => expect.fail('expected to fail'),
      (reason: unknown) => reason as Error,
    );
  const late = await fails(freezeStatistics({ lastEpochs: 6, data: [] }));
  expect(late).toBeInstanceOf(errors.RecalibrationOptionError);
  expect(late.message).toMatch(/at most the number of epochs.*trained for, 5, got 6/);
  const plain = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [WIDTH] })] });
  plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  expect(await fails(freezeStatistics({ lastEpochs: 1, data: [] }), plain)).toBeInstanceOf(
    errors.NoBatchNormError,
  );
  const mixed = [{ onEpochEnd: () => {} }, freezeStatistics({ lastEpochs: 1, data: [] })];
  const unbound = await fails(mixed as Callbacks);
  expect(unbound).toBeInstanceOf(errors.TrainingCallbackError);
  expect(unbound.message).toMatch(/FreezeStatistics.*new tfl\.CustomCallback/);
  expect(await stateOf(model)).toEqual(before);
});

test.each(WAYS)('%s rejects with what recalibration rejects with, and nothing is frozen', async (way) => {
  const model = compiled();
  let before: unknown;
  const look = seen({
    onEpochBegin: () => {
      before = weightsOf(model);
    },
  });
  const boom = new Error('the disk is full');
  const broken = {
    *[Symbol.iterator]() {
      yield tensorOf(rows[0]!, WIDTH);
      throw boom;
    },
  };
  await expect(train(model, way, [look, freezeStatistics({ lastEpochs: 3, data: broken })])).rejects.toBe(
    boom,
  );
  expect(weightsOf(model)).toEqual(before);
  const signal = AbortSignal.abort(boom);
  const aborted = freezeStatistics({ lastEpochs: 3, data: broken, recalibrate: { signal } });
  await expect(train(model, way, [look, aborted])).rejects.toBe(boom);
  expect(weightsOf(model)).toEqual(before);
  expect(frozen(model)).toEqual([false, false]);
});

test('a layer that cannot be frozen keeps its moving statistics, too', () =>
  withBatches(rows, WIDTH, async (data) => {
    const Stock = tfl.layers.batchNormalization({}).constructor as unknown as typeof BatchNormalization;
    class Derived extends Stock {}
    const model = tfl.sequential({
      layers: [
        tfl.layers.batchNormalization({ inputShape: [WIDTH] }),
        new Derived({ name: 'derived' } as never),
        tfl.layers.dense({ units: 2 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const before = weightsOf(model);
    const ours = freezeStatistics({ lastEpochs: 2, data });
    await expect(train(model, 'fit', ours, 2)).rejects.toThrow(/'derived'/);
    expect(weightsOf(model)).toEqual(before);
  }));
