import { unfreezeBatchNorm } from '@rebatch/layers';
import { expectNoLeaks } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { setWeights, tensorOf, weightsOf, withBatches } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import * as errors from '../index.ts';
import { recalibrate } from '../recalibrate.ts';
import { freezeStatistics } from './freeze-statistics.ts';
import {
  type Callbacks,
  compiled,
  datasetOf,
  rows,
  stateOf,
  train,
  validation,
  WAYS,
  WIDTH,
} from './training.test.helpers.ts';
import { type ValidateRecalibratedOptions, validateRecalibrated } from './validate-recalibrated.ts';
import type { ValidationData } from './validation.ts';

let xs: tf.Tensor;
let ys: tf.Tensor;

beforeAll(async () => {
  await tf.setBackend('cpu');
  xs = tensorOf(validation.xs, WIDTH);
  ys = tensorOf(validation.ys, 2);
});

const fresh = () => datasetOf(validation.xs, validation.ys, 5);
const KINDS: [string, () => Pick<ValidateRecalibratedOptions, 'validationData' | 'batchSize'>][] = [
  ['[xs, ys]', () => ({ validationData: [xs, ys] as const })],
  ['{xs, ys}, batchSize', () => ({ validationData: { xs, ys }, batchSize: 5 })],
  ['lists', () => ({ validationData: { xs: [xs], ys: [ys] } })],
  ['objects by name', () => ({ validationData: [{ dense0_input: xs }, { head: ys }] as const })],
  ['a dataset', () => ({ validationData: fresh() })],
];

describe.each(WAYS)('%s', (way) => {
  test.each(KINDS)('metrics are those of a recalibrated copy, training is untouched: %s', (_, kind) =>
    withBatches(rows, WIDTH, async (data) => {
      const [model, without, copy] = [compiled(), compiled(), compiled()];
      const results: [number, Record<string, number>][] = [];
      const weights: tf.Tensor[][] = [];
      const logged: unknown[] = [];
      const { history } = await train(model, way, [
        new tfl.CustomCallback({
          onEpochEnd: () => void weights.push(model.getWeights().map((w) => tf.clone(w))),
        }),
        validateRecalibrated({
          data,
          every: 2,
          ...kind(),
          onResult: (epoch, metrics) => void results.push([epoch, { ...metrics }]),
        }),
        new tfl.CustomCallback({ onEpochEnd: (_epoch, logs) => void logged.push(logs?.val_mae_precise) }),
      ]);
      const plain = await train(without, way, []);
      expect(await stateOf(model)).toEqual(await stateOf(without));
      expect(history.loss).toEqual(plain.history.loss);
      expect(history.val_loss_precise).toEqual(results.map(([, metrics]) => metrics.val_loss_precise));
      expect(history.val_mae_precise).toEqual(results.map(([, metrics]) => metrics.val_mae_precise));
      expect(results.map(([epoch]) => epoch)).toEqual([1, 3]);
      expect(logged.map((value) => value === undefined)).toEqual([true, false, true, false, true]);
      for (const [epoch, metrics] of results) {
        copy.setWeights(weights[epoch]!);
        const scores = () => (copy.evaluate(xs, ys) as tf.Scalar[]).map((score) => score.dataSync()[0]!);
        const running = scores();
        await recalibrate(copy, data);
        const [loss, mae] = scores();
        expect(metrics).toEqual({
          val_loss_precise: expect.closeTo(loss!, 5),
          val_mae_precise: expect.closeTo(mae!, 5),
        });
        expect(Math.abs(running[0]! - loss!)).toBeGreaterThan(1e-3);
      }
    }),
  );

  test('early stopping can watch it', () =>
    withBatches(rows, WIDTH, async (data) => {
      const { epoch, history } = await train(compiled(), way, [
        validateRecalibrated({ data, validationData: [xs, ys] }),
        // An error below -1 is what it waits for, two epochs in vain.
        tfl.callbacks.earlyStopping({ monitor: 'val_loss_precise', baseline: -1, patience: 2 }),
      ]);
      expect(epoch).toEqual([0, 1]);
      expect(history.val_loss_precise).toHaveLength(2);
    }));

  test('goes with freezeStatistics, on the frozen model, too', () =>
    withBatches(rows, WIDTH, async (data) => {
      const [model, without] = [compiled(), compiled()];
      const freeze = () => freezeStatistics({ lastEpochs: 2, data, affine: 'trainable' });
      const { history } = await train(model, way, [
        freeze(),
        validateRecalibrated({ data, validationData: [xs, ys] }),
      ]);
      await train(without, way, freeze());
      expect(await stateOf(model)).toEqual(await stateOf(without));
      expect(history.val_loss_precise).toHaveLength(5);
    }));

  const boom = new Error('the disk is full');
  const brokenData = {
    *[Symbol.iterator]() {
      yield tensorOf(rows[0]!, WIDTH);
      throw boom;
    },
  };
  const BROKEN: [string, () => Partial<ValidateRecalibratedOptions>, unknown][] = [
    ['data', () => ({ data: brokenData }), boom],
    ['an aborted signal', () => ({ recalibrate: { signal: AbortSignal.abort(boom) } }), boom],
    ['validation tensors that do not fit', () => ({ validationData: [ys, ys] }), /shape/],
    ['a validation dataset', () => ({ validationData: failing(boom) }), boom],
    ['onResult', () => ({ onResult: () => Promise.reject(boom) }), boom],
  ];
  test.each(BROKEN)('fails with %s: the moving statistics are as they were', (_, options, expected) =>
    withBatches(rows, WIDTH, async (data) => {
      const model = compiled();
      let before: unknown;
      // Logs are read by this, and so not left to a history that nobody gets.
      const look = new tfl.CustomCallback({
        onEpochEnd: () => {
          before = weightsOf(model);
        },
      });
      const ours = validateRecalibrated({ data, validationData: [xs, ys], ...options() });
      const run = () =>
        train(model, way, [look, ours]).then(
          () => expect.fail('expected to fail'),
          (reason: unknown) => reason as Error,
        );
      await expectNoLeaks(tf, async () => {
        const reason = await run();
        if (expected instanceof RegExp) expect(reason.message).toMatch(expected);
        else expect(reason).toBe(expected);
        expect(weightsOf(model)).toEqual(before);
      });
    }),
  );

  test('keeps no tensors', () =>
    withBatches(rows, WIDTH, async (data) => {
      const model = compiled();
      const both = () => [
        validateRecalibrated({ data, every: 2, validationData: [xs, ys] }),
        validateRecalibrated({ data, validationData: fresh(), recalibrate: { mode: 'layerwise' } }),
      ];
      await expectNoLeaks(tf, () => train(unfreezeBatchNorm(model), way, both(), 3));
    }));
});

/** Has one batch, evaluated under the precise statistics, and then fails. */
function failing(reason: Error): ValidationData {
  let left = 1;
  return {
    iterator: async () => ({
      next: async () => {
        if (left-- > 0) return { done: false, value: { xs: tf.clone(xs), ys: tf.clone(ys) } };
        left = 1;
        throw reason;
      },
    }),
  };
}

test('the model has its own statistics whenever a dataset is waited for', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    const looks: unknown[] = [];
    let own: unknown;
    const validationData = {
      iterator: async () => {
        const inner = await fresh().iterator();
        return {
          async next() {
            looks.push(weightsOf(model));
            return inner.next();
          },
        };
      },
    };
    const look = new tfl.CustomCallback({
      onEpochEnd: () => {
        own = weightsOf(model);
      },
    });
    await train(model, 'fit', [look, validateRecalibrated({ data, validationData })], 1);
    expect(looks).toEqual(Array(4).fill(own));
  }));

test('a signal ends the validation, too', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    const stop = new AbortController();
    let returned = 0;
    const validationData = {
      iterator: async () => ({
        next: async () => {
          stop.abort(new Error('enough'));
          return { done: false, value: { xs: tf.clone(xs), ys: tf.clone(ys) } };
        },
        return: async () => {
          returned++;
        },
      }),
    };
    const { signal } = stop;
    const ours = validateRecalibrated({ data, validationData, recalibrate: { signal } });
    await expect(train(model, 'fitDataset', ours)).rejects.toThrow('enough');
    expect(returned).toBe(1);
  }));

test.each<[string, unknown[], typeof errors.RecalibrationError, RegExp]>([
  ['no batches', [], errors.InsufficientDataError, /at least one sample/],
  ['batches without labels', [{}], errors.InvalidDataError, /batches of validationData.*got an object/],
  ['something else', [7], errors.InvalidDataError, /got 7/],
])('a dataset with %s', (_, elements, kind, message) =>
  withBatches(rows, WIDTH, async (data) => {
    const iterator = async () => {
      const values = elements.values();
      return { next: async () => values.next() };
    };
    const run = () => train(compiled(), 'fit', validateRecalibrated({ data, validationData: { iterator } }));
    await expect(run()).rejects.toThrow(kind);
    await expect(run()).rejects.toThrow(message);
  }),
);

test('moving statistics that are NaN stay so, and do not reach the metrics', () =>
  withBatches(rows, WIDTH, async (data) => {
    const model = compiled();
    const layer = model.getLayer('bn0');
    const [gamma, beta] = layer.getWeights().map((weight) => weight.dataSync() as Float32Array);
    const nan = new Float32Array(5).fill(Number.NaN);
    setWeights(layer, [gamma!, beta!, nan, nan]);
    const { history } = await train(
      model,
      'fit',
      validateRecalibrated({ data, validationData: [xs, ys] }),
      2,
    );
    expect(
      layer
        .getWeights()
        .slice(2)
        .map((weight) => [...weight.dataSync()]),
    ).toEqual([[...nan], [...nan]]);
    expect((history.val_loss_precise as number[]).every(Number.isFinite)).toBe(true);
  }));

test('metrics of several outputs with the same name are numbered, as by fit', () =>
  withBatches(rows, WIDTH, async (data) => {
    const input = tfl.input({ shape: [WIDTH] });
    const body = tfl.layers.batchNormalization().apply(input);
    const head = tfl.layers.dense({ units: 2, name: 'twice' });
    const outputs = [head.apply(body), head.apply(body)] as tfl.SymbolicTensor[];
    const model = tfl.model({ inputs: input, outputs });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const labels = [tf.zeros([12, 2]), tf.zeros([12, 2])];
    const { history } = await model.fit(xs, labels, {
      epochs: 1,
      verbose: 0,
      validationData: [xs, labels],
      callbacks: validateRecalibrated({ data, validationData: { xs, ys: labels } }),
    });
    const names = Object.keys(history).filter((name) => name.startsWith('val_'));
    const own = names.filter((name) => !name.endsWith('_precise'));
    expect(own.length).toBeGreaterThan(1);
    expect(names.filter((name) => name.endsWith('_precise'))).toEqual(own.map((name) => `${name}_precise`));
  }));

test.each<[typeof errors.RecalibrationError, Partial<ValidateRecalibratedOptions>, RegExp]>([
  [errors.RecalibrationOptionError, { every: 0 }, /every to be an integer >= 1, got 0/],
  [errors.RecalibrationOptionError, { batchSize: 0 }, /batchSize to be an integer >= 1, got 0/],
  ...['1', [1], true, null].flatMap((value) =>
    ['every', 'batchSize'].map((name): [typeof errors.RecalibrationError, object, RegExp] => [
      errors.RecalibrationOptionError,
      { [name]: value },
      new RegExp(`validateRecalibrated: expected option ${name} to be an integer >= 1, got `),
    ]),
  ),
  [errors.RecalibrationOptionError, { onResult: 'log' as never }, /option onResult to be a function/],
  [errors.RecalibrationOptionError, { batchsize: 4 } as never, /"batchsize"\. Did you mean batchSize\?/],
  [errors.RecalibrationOptionError, { recalibrate: { sample: 4 } as never }, /Did you mean samples\?/],
  [
    errors.RecalibrationOptionError,
    { recalibrate: { mode: 'best' as never } },
    /validateRecalibrated, option recalibrate: expected option mode to be 'batch'/,
  ],
  [errors.InvalidDataError, { data: undefined as never }, /validateRecalibrated: expected option data/],
  [errors.InvalidDataError, { data: (function* () {})() }, /read several times/],
  [errors.InvalidDataError, { validationData: undefined as never }, /option validationData.*got undefined/],
  [errors.InvalidDataError, { validationData: {} as never }, /got an object/],
  [errors.InvalidDataError, { validationData: [1, 2] as never }, /got \[1, 2\]/],
])('%s for %o', (kind, options, message) => {
  const make = () => validateRecalibrated({ data: [], validationData: [xs, ys], ...options });
  expect(make).toThrow(kind);
  expect(make).toThrow(message);
});

test('a dataset has batches already, and has to end', () => {
  const dataset = fresh();
  expect(() => validateRecalibrated({ data: [], validationData: dataset, batchSize: 4 })).toThrow(
    /dataset\.batch/,
  );
  const endless = { size: Number.POSITIVE_INFINITY, iterator: () => Promise.reject(new Error()) };
  expect(() => validateRecalibrated({ data: [], validationData: endless })).toThrow(/dataset\.take/);
});

test('a list that starts with a plain object is told what to do', async () => {
  const ours = validateRecalibrated({ data: [], validationData: [xs, ys] });
  const mixed = [{ onEpochEnd: () => {} }, ours] as Callbacks;
  await expect(train(compiled(), 'fit', mixed)).rejects.toThrow(errors.TrainingCallbackError);
});
