import { applyStatistics, captureStatistics, NoBatchNormError, StatisticsError } from '@rebatch/recalibrate';
import { onEachBackend } from '@rebatch/test-models';
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { StatisticsBankError, statisticsBank, UnknownDomainError } from '../index.ts';
import { denseNetwork, randomStatistics, weightBits } from '../network.test.support.ts';

const LAYERS = { bn0: 5, bn1: 3 };
const makeModel = () => denseNetwork([4, 5, 3]);
const [day, night] = [randomStatistics(LAYERS, 1), randomStatistics(LAYERS, 2)];

const plain = (statistics: typeof day) =>
  statistics.map(({ name, mean, variance }) => ({
    name,
    mean: Array.from(mean),
    variance: Array.from(variance),
  }));

onEachBackend(() => {
  test('a switch is what applyStatistics would do, bit by bit', async () => {
    const [model, other] = [makeModel(), makeModel()];
    other.setWeights(model.getWeights());
    const bank = statisticsBank(model);
    bank.set('day', day);
    bank.set('night', night);
    for (const [name, statistics] of [
      ['day', day],
      ['night', night],
      ['day', day],
      ['day', day],
    ] as const) {
      bank.use(name);
      applyStatistics(other, statistics);
      expect(weightBits(model)).toEqual(weightBits(other));
      expect(bank.current).toBe(name);
      expect(plain(await captureStatistics(model))).toEqual(plain(statistics));
    }
    bank.dispose();
    model.dispose();
    other.dispose();
  });

  test('captures what the model has at the call, and gives it back after training', async () => {
    const model = makeModel();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const bank = statisticsBank(model);
    applyStatistics(model, day);
    const capturing = bank.capture('day');
    applyStatistics(model, night);
    await capturing;
    expect(bank.current).toBeUndefined();
    await bank.capture('night');
    expect(bank.current).toBe('night');
    expect(bank.names).toEqual(['day', 'night']);
    await bank.capture('dusk');
    expect(bank.current).toBe('dusk');
    bank.use('night');
    expect(bank.current).toBe('night');
    bank.delete('night');
    expect(bank.current).toBe('dusk');
    await bank.capture('night');

    const [x, y] = [tf.randomNormal([16, 4], 3), tf.zeros([16, 3])];
    await model.trainOnBatch(x, y);
    expect(bank.current).toBeUndefined();
    const trained = await captureStatistics(model);
    expect(plain(trained)).not.toEqual(plain(night));
    expect(plain(bank.get('night'))).toEqual(plain(night));
    bank.use('day');
    expect(plain(await captureStatistics(model))).toEqual(plain(day));
    await model.trainOnBatch(x, y);
    bank.use('night');
    expect(plain(await captureStatistics(model))).toEqual(plain(night));
    expect(plain(bank.get('day'))).toEqual(plain(day));
    tf.dispose([x, y]);
    bank.dispose();
    model.dispose();
  });

  test('what comes in and what goes out are copies', async () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    const given = randomStatistics(LAYERS, 1);
    bank.set('day', given);
    (given[0]!.mean as Float32Array).fill(77);
    (bank.get('day')[1]!.variance as Float32Array).fill(77);
    bank.use('day');
    expect(plain(await captureStatistics(model))).toEqual(plain(day));
    expect(plain(bank.get('day'))).toEqual(plain(day));
    bank.dispose();
    model.dispose();
  });

  test('holds one tensor per domain, two per layer once it was used, survives tidies, and frees all of them', async () => {
    const model = makeModel();
    const before = tf.memory();
    const bank = statisticsBank(model);
    tf.tidy(() => {
      bank.set('day', day);
      bank.set('night', night);
      bank.set('night', day);
      bank.use('day');
    });
    expect(tf.memory().numTensors - before.numTensors).toBe(4 + 1);
    await bank.capture('captured');
    await bank.capture('day');
    expect(tf.memory().numTensors - before.numTensors).toBe(4 + 4 + 1);
    bank.use('captured');
    bank.delete('captured');
    expect(tf.memory().numTensors - before.numTensors).toBe(4 + 1);
    bank.load(bank.save());
    expect(tf.memory().numTensors - before.numTensors).toBe(1 + 1);
    expect(plain(await captureStatistics(model))).toEqual(plain(day));
    bank.dispose();
    bank.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(plain(await captureStatistics(model))).toEqual(plain(day));
    const x = tf.ones([2, 4]);
    tf.dispose([model.predict(x), x]);
    model.dispose();
  });

  test('leaks nothing, not even when it fails', async () => {
    await expectNoLeaks(tf, async () => {
      const model = makeModel();
      const bank = statisticsBank(model);
      bank.set('day', day);
      bank.use('day');
      const file = bank.save();
      bank.load(file);
      expect(() => bank.use('dusk')).toThrow();
      expect(() => bank.set('night', day.slice(1))).toThrow();
      expect(() => bank.load(file.slice(1))).toThrow();
      const capturing = bank.capture('night');
      bank.dispose();
      await expect(capturing).rejects.toThrow(StatisticsBankError);
      model.dispose();
    });
  });
});

test('what it captured goes back bit by bit, through a file too: variances that rounding left below zero', async () => {
  await tf.setBackend('cpu');
  const model = makeModel();
  const variance = Float32Array.of(-1e-9, -5e-4, 0, -0, 2);
  model.getLayer('bn0').setWeights([tf.ones([5]), tf.zeros([5]), tf.fill([5], -0), tf.tensor1d(variance)]);
  const before = weightBits(model);
  const [bank, other] = [statisticsBank(model), statisticsBank(model)];
  await bank.capture('before');
  bank.set('day', day);
  bank.use('day');
  expect(weightBits(model)).not.toEqual(before);
  bank.use('before');
  expect(weightBits(model)).toEqual(before);
  bank.use('day');
  other.load(bank.save());
  other.use('before');
  expect(weightBits(model)).toEqual(before);
  other.use('day');
  applyStatistics(model, other.get('before'));
  expect(weightBits(model)).toEqual(before);
  bank.dispose();
  other.dispose();
  model.dispose();
});

test('a switch after one of backends uploads anew', async () => {
  await tf.setBackend('wasm');
  const model = makeModel();
  const { numTensors } = tf.memory();
  const bank = statisticsBank(model);
  bank.set('day', day);
  applyStatistics(model, night);
  const capturing = bank.capture('night');
  await tf.setBackend('cpu');
  await capturing;
  for (const name of ['day', 'night', 'day']) {
    bank.use(name);
    expect(bank.current).toBe(name);
    expect(plain(await captureStatistics(model))).toEqual(plain(name === 'day' ? day : night));
  }
  await tf.setBackend('wasm');
  bank.use('night');
  expect(plain(await captureStatistics(model))).toEqual(plain(night));
  bank.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
  model.dispose();
});

describe('what cannot be done', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('a model without statistics', () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] });
    expect(() => statisticsBank(model)).toThrow(NoBatchNormError);
    model.dispose();
  });

  it('a domain that there is not: the known ones are listed', () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    const before = weightBits(model);
    expect(() => bank.use('day')).toThrow(
      "The bank has no domain 'day'. It has none yet: use set, capture or load.",
    );
    bank.set('night', night);
    bank.set('day', day);
    for (const call of [() => bank.use('dusk'), () => bank.get('dusk'), () => bank.delete('dusk')]) {
      expect(call).toThrow(UnknownDomainError);
      expect(call).toThrow("The bank has no domain 'dusk'. It has 'day', 'night'.");
    }
    expect(weightBits(model)).toEqual(before);
    bank.dispose();
    model.dispose();
  });

  it.each([[''], [undefined], [7], ['\ud800'], [null], [['day']], [{}], [{ toString: 1 }]])(
    'the name %j',
    async (name) => {
      const model = makeModel();
      const bank = statisticsBank(model);
      expect(() => bank.set(name as string, day)).toThrow(StatisticsBankError);
      expect(() => bank.set(name as string, day)).toThrow(/non-empty string/);
      await expect(bank.capture(name as string)).rejects.toThrow(StatisticsBankError);
      for (const call of [() => bank.use(name as string), () => bank.get(name as string)]) {
        expect(call).toThrow(UnknownDomainError);
      }
      expect(bank.names).toEqual([]);
      model.dispose();
    },
  );

  it.each([
    [null, 'Expected statistics as a list'],
    [[null, null], "Entry 0: expected the statistics of layer 'bn0', got null"],
    [
      JSON.parse(
        JSON.stringify(
          day.map((layer) => ({ ...layer, mean: [Number.NaN, 1, 1, 1, 1], variance: [1, 1, 1, 1, 1] })),
        ),
      ),
      'mean null',
    ],
    [day.map((layer) => ({ ...layer, mean: '12345' })), '"12345" for the means'],
    [day.map((layer) => ({ ...layer, variance: Array.from(layer.variance, String) })), /variance "[\d.]+/],
    [
      day.map((layer) => ({ ...layer, variance: Array.from(layer.variance, (v) => [v]) })),
      /variance \[[\d.]+\]/,
    ],
    [day.map((layer) => ({ ...layer, variance: Array.from(layer.variance, () => true) })), 'variance true'],
  ])('statistics that are no numbers: %#', (odd, message) => {
    const model = makeModel();
    const bank = statisticsBank(model);
    bank.set('day', day);
    const { numTensors } = tf.memory();
    expect(() => bank.set('day', odd as never)).toThrow(StatisticsError);
    expect(() => bank.set('day', odd as never)).toThrow(message);
    expect(plain(bank.get('day'))).toEqual(plain(day));
    expect(tf.memory().numTensors).toBe(numTensors);
    bank.dispose();
    model.dispose();
  });

  it('statistics that do not fit, or are not finite: what was there stays', async () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    bank.set('day', day);
    const broken = day.map((layer) => ({ ...layer, mean: Array.from(layer.mean, () => Number.NaN) }));
    expect(() => bank.set('day', broken)).toThrow(StatisticsError);
    expect(() => bank.set('day', randomStatistics({ bn0: 5, bn1: 4 }, 1))).toThrow(/'bn1'/);
    model.getLayer('bn1').setWeights([tf.ones([3]), tf.ones([3]), tf.fill([3], Number.NaN), tf.ones([3])]);
    await expect(bank.capture('day')).rejects.toThrow(/Layer 'bn1': expected a finite mean/);
    expect(plain(bank.get('day'))).toEqual(plain(day));
    bank.dispose();
    model.dispose();
  });

  it('a model that is disposed: nothing is written, and the bank can still be saved', async () => {
    const [model, other] = [makeModel(), makeModel()];
    const bank = statisticsBank(model);
    bank.set('day', day);
    model.dispose();
    for (const call of [() => bank.use('day'), () => bank.current]) {
      expect(call).toThrow(StatisticsBankError);
      expect(call).toThrow(/'bn0\/moving_mean.*' of model 'net' is disposed/);
    }
    await expect(bank.capture('day')).rejects.toThrow(StatisticsBankError);
    const copy = statisticsBank(other);
    copy.load(bank.save());
    copy.use('day');
    expect(plain(await captureStatistics(other))).toEqual(plain(day));
    bank.dispose();
    copy.dispose();
    other.dispose();
  });

  it('a layer that is disposed alone: no other layer is switched', () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    bank.set('day', day);
    const [first, last] = [model.getLayer('bn0'), model.getLayer('bn1')];
    const before = first.getWeights().map((weight) => Array.from(weight.dataSync()));
    last.weights.at(-1)!.read().dispose();
    expect(() => bank.use('day')).toThrow(/'bn1\/moving_variance.*' of model 'net' is disposed/);
    expect(first.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
    bank.dispose();
  });

  it('a model that has got more layers', () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    bank.set('day', day);
    model.add(tfl.layers.batchNormalization({ name: 'late' }));
    for (const call of [
      () => bank.use('day'),
      () => bank.set('night', night),
      () => bank.load(bank.save()),
    ]) {
      expect(call).toThrow(StatisticsBankError);
      expect(call).toThrow(
        /the 2 batch normalization layers that it had when the bank was made, got 3 \(bn0, bn1, late\)/,
      );
    }
    bank.dispose();
    model.dispose();
  });

  it('a bank that is disposed', async () => {
    const model = makeModel();
    const bank = statisticsBank(model);
    const file = bank.save();
    bank.set('day', day);
    bank.dispose();
    const calls = [
      ...[() => bank.set('day', day), () => bank.use('day'), () => bank.get('day'), () => bank.current],
      ...[() => bank.delete('day'), () => bank.save(), () => bank.load(file)],
    ];
    for (const call of calls) expect(call).toThrow(StatisticsBankError);
    await expect(bank.capture('day')).rejects.toThrow('The bank is disposed');
    expect(bank.names).toEqual([]);
    model.dispose();
  });
});
