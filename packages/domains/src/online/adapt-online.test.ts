import { NormalizationBatchError } from '@rebatch/core';
import { convert, freezeBatchNorm } from '@rebatch/layers';
import {
  BackendChangedError,
  DisposedTensorError,
  InputShapeError,
  InvalidDataError,
  NoBatchNormError,
  RecalibrationOptionError,
  StatisticsError,
} from '@rebatch/recalibrate';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it, test } from 'vitest';
import '@rebatch/test-models';
import {
  adaptOnline,
  applyStatistics,
  domainBatchNormalization,
  OnlineAdapterError,
  statisticsBank,
  withDomain,
} from '../index.ts';
import { denseNetwork } from '../network.test.support.ts';
import { makeBlocks, makeFrames, makeNetwork, referenceStream, tensorOf } from './reference.test.support.ts';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const random = seededRandom(21);
const frame = (samples = 1) => tf.tensor2d(random.normals(samples * 4, 2, 3), [samples, 4]);
const values = (y: tf.Tensor | tf.Tensor[]) => (y as tf.Tensor).dataSync<'float32'>().slice();

test.each(['cpu', 'wasm'])('on %s the state lies on the host', async (backend) => {
  await tf.setBackend(backend);
  const model = denseNetwork([4, 3]);
  const { numTensors } = tf.memory();
  const adapter = adaptOnline(model);
  expect(tf.memory().numTensors).toBe(numTensors);
  tf.tidy(() => {
    adapter.predict(frame());
  });
  expect(tf.memory().numTensors).toBe(numTensors);
  model.dispose();
});

test('a model that was built for batches of one takes frames of any number of samples, as stock does', () => {
  const blocks = makeBlocks(random, [3, 4, 2]);
  const model = makeNetwork(blocks, 1);
  expect(model.inputs[0]!.shape[0]).toBe(1);
  const [decay, prior] = [0.8, 4];
  const frames = makeFrames(random, 3, [3, 1, 2]);
  const expected = referenceStream(blocks, frames, { decay, prior });
  const adapter = adaptOnline(model, { decay, prior });
  frames.forEach((one, t) => {
    const x = tensorOf(one);
    const y = adapter.predict(x);
    expectClose(values(y), expected[t]!.y, 1e-5, `frame ${t}`);
    tf.dispose([x, y]);
  });
  adapter.dispose();
  model.dispose();
});

test('converted, frozen, nested and wrapped layers adapt like stock ones', () => {
  const blocks = makeBlocks(random, [3, 4, 2]);
  const flat = makeNetwork(blocks);
  const converted = convert(makeNetwork(blocks));
  const frozen = convert(makeNetwork(blocks));
  freezeBatchNorm(frozen);
  const nested = tfl.sequential({ layers: [makeNetwork(blocks.slice(0, 1)), makeNetwork(blocks.slice(1))] });
  const adapters = [flat, converted, frozen, nested].map((model) => adaptOnline(model, { prior: 2 }));
  for (const one of makeFrames(random, 3, [1, 2, 1])) {
    const x = tensorOf(one);
    const [expected, ...others] = adapters.map((adapter) => values(adapter.predict(x)));
    for (const other of others) expect(other).toEqual(expected);
  }

  const inner = tfl.layers.batchNormalization({ inputShape: [4] });
  const wrapped = tfl.sequential();
  wrapped.add(tfl.layers.timeDistributed({ layer: inner, inputShape: [3, 4] }));
  const plain = tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [3, 4] })] });
  const [steps, whole] = [adaptOnline(wrapped, { prior: 2 }), adaptOnline(plain, { prior: 2 })];
  const x = tf.tensor3d(random.normals(24), [2, 3, 4]);
  steps.predict(x);
  whole.predict(x);
  // Step by step or at once: the state is of all steps.
  return Promise.all([steps.statistics(), whole.statistics()]).then(([a, b]) => {
    expectClose(a[0]!.mean, b[0]!.mean, 1e-6);
    expectClose(a[0]!.variance, b[0]!.variance, 1e-6);
  });
});

test('several inputs come as a list or by their names, and several outputs go as a list', () => {
  const inputs = ['left', 'right'].map((name) => tfl.input({ shape: [4], name }));
  const outputs = inputs.map((input) => tfl.layers.batchNormalization().apply(input) as tfl.SymbolicTensor);
  const model = tfl.model({ inputs, outputs });
  const [left, right] = [frame(2), frame(2)];
  const listed = adaptOnline(model).predict([left, right]) as tf.Tensor[];
  const named = adaptOnline(model).predict({ right, left }) as tf.Tensor[];
  expect(listed.map(values)).toEqual(named.map(values));
  expect(listed).toHaveLength(2);
});

test('whole numbers are taken, too', () => {
  const model = tfl.sequential({
    layers: [tfl.layers.batchNormalization({ inputShape: [2], dtype: 'int32' })],
  });
  const floats = tf.tensor2d([1, 2, 3, 5], [2, 2]);
  expect(values(adaptOnline(model).predict(tf.cast(floats, 'int32')))).toEqual(
    values(adaptOnline(model).predict(floats)),
  );
});

test('a layer of several domains has a stream for each, and other domains stay as they are', async () => {
  const layer = domainBatchNormalization({ domains: ['day', 'night'], inputShape: [4] });
  const model = tfl.sequential({ layers: [layer] });
  const alone = tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [4] })] });
  const [both, day, night] = [adaptOnline(model), adaptOnline(alone), adaptOnline(alone)];
  for (const domain of ['day', 'night', 'night', 'day'] as const) {
    const x = frame(3);
    const y = withDomain(model, domain, () => both.predict(x));
    expectClose(values(y), values((domain === 'day' ? day : night).predict(x)), 1e-6);
  }
  const [ofDay, ofNight] = await both.statistics();
  expect(ofDay!.mean).toEqual((await day.statistics())[0]!.mean);
  expect(ofNight!.mean).toEqual((await night.statistics())[0]!.mean);
});

test('what was learned goes into a bank, or into the model', async () => {
  const model = denseNetwork([4, 3]);
  const adapter = adaptOnline(model, { prior: 1 });
  const x = frame(5);
  const y = values(adapter.predict(x));
  const bank = statisticsBank(model);
  bank.set('stream', await adapter.statistics());
  bank.use('stream');
  expectClose(values(model.predict(x)), y, 1e-5);
  applyStatistics(model, await adapter.statistics());
  expectClose(values(model.predict(x)), y, 1e-5);
});

test('a frame of more samples than predict would batch is one step', async () => {
  const model = denseNetwork([4, 3]);
  const adapter = adaptOnline(model, { prior: 0 });
  const x = frame(70);
  adapter.predict(x);
  const dense = model.layers[0]!.apply(x) as tf.Tensor;
  const { mean, variance } = tf.moments(dense, 0);
  const [layer] = await adapter.statistics();
  expectClose(layer!.mean, values(mean), 1e-5);
  expectClose(layer!.variance, values(variance), 1e-5);
});

describe('what cannot be done', () => {
  it.each([
    [{ decay: 1 }, 'adaptOnline: expected option decay to be a finite number >= 0 and < 1, got 1'],
    [{ decay: -0.1 }, 'got -0.1'],
    [{ decay: Number.NaN }, 'option decay'],
    [{ prior: -1 }, 'adaptOnline: expected option prior to be a finite number >= 0, got -1'],
    [{ prior: Number.POSITIVE_INFINITY }, 'option prior'],
    [{ nonFinite: 'ignore' as 'skip' }, `expected option nonFinite to be 'throw' or 'skip', got "ignore"`],
    ...['0.5', [0.5], [], true, null, new Number(0.5)].flatMap((value): [object, string][] => [
      [{ decay: value }, 'expected option decay to be a finite number'],
      [{ prior: value }, 'expected option prior to be a finite number'],
    ]),
    [{ decays: 0.5 } as object, 'got one of the name "decays". Did you mean decay?'],
  ])('options %j', (options, message) => {
    const model = denseNetwork([4, 3]);
    expect(() => adaptOnline(model, options)).toThrow(RecalibrationOptionError);
    expect(() => adaptOnline(model, options)).toThrow(message);
  });

  it('a model without batch normalization, or not built', () => {
    const without = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] });
    expect(() => adaptOnline(without)).toThrow(NoBatchNormError);
    expect(() => adaptOnline(tfl.sequential())).toThrow(NoBatchNormError);
  });

  it('source statistics that count and are not finite; without a prior they do not', () => {
    const model = denseNetwork([4, 3]);
    model.layers[1]!.setWeights([tf.ones([3]), tf.ones([3]), tf.fill([3], Number.NaN), tf.ones([3])]);
    expect(() => adaptOnline(model)).toThrow(StatisticsError);
    expect(() => adaptOnline(model)).toThrow(/Layer 'bn0': expected a finite mean/);
    const y = values(adaptOnline(model, { prior: 0 }).predict(frame(4)));
    expect(y.every(Number.isFinite)).toBe(true);
  });

  it('frames that do not fit: the stream goes on as if they had not come', async () => {
    const model = denseNetwork([4, 3]);
    const [adapter, without] = [adaptOnline(model), adaptOnline(model)];
    const gone = frame();
    gone.dispose();
    const cases: [unknown, new (...args: never[]) => Error, RegExp][] = [
      [tf.ones([4]), InputShapeError, /^Frame 1, input .*expected shape \[\?, 4\], got \[4\].*expandDims/],
      [tf.ones([1, 5]), InputShapeError, /got \[1, 5\]/],
      [gone, DisposedTensorError, /already disposed/],
      ['a picture', InvalidDataError, /^Frame 1: expected a tensor.*got "a picture"/],
    ];
    const [first, second] = [frame(), frame()];
    for (const each of [adapter, without]) each.predict(first);
    for (const [bad, kind, message] of cases) {
      expect(() => adapter.predict(bad as tf.Tensor)).toThrow(kind);
      expect(() => adapter.predict(bad as tf.Tensor)).toThrow(message);
    }
    expect(adapter.frames).toBe(1);
    expect(values(adapter.predict(second))).toEqual(values(without.predict(second)));
  });

  it('a layer that fails midway: no layer keeps the frame, and no tensor stays', async () => {
    const model = denseNetwork([4, 3, 2]);
    const [adapter, without] = [adaptOnline(model), adaptOnline(model)];
    const x = frame();
    const last = model.layers[2]!;
    const { call } = last;
    last.call = () => {
      throw new Error('out of memory');
    };
    const { numTensors } = tf.memory();
    expect(() => adapter.predict(x)).toThrow('out of memory');
    expect(tf.memory().numTensors).toBe(numTensors);
    last.call = call;
    expect(values(adapter.predict(x))).toEqual(values(without.predict(x)));
    expect(await adapter.statistics()).toEqual(await without.statistics());
  });

  it('a single value per channel without a prior, which its own statistics would erase', () => {
    const model = denseNetwork([4, 3]);
    const adapter = adaptOnline(model, { prior: 0 });
    expect(() => adapter.predict(frame())).toThrow(NormalizationBatchError);
    expect(() => adapter.predict(frame())).toThrow(/Layer 'bn0': .* got 1 \(shape \[1, 3\]\).*use a prior/);
    adapter.predict(frame(2));
    adaptOnline(model, { prior: 0.1 }).predict(frame());
  });

  it('another backend; reset starts over on it', async () => {
    const model = denseNetwork([4, 3]);
    const adapter = adaptOnline(model);
    await tf.setBackend('wasm');
    expect(() => adapter.predict(frame())).toThrow(BackendChangedError);
    await expect(adapter.statistics()).rejects.toThrow("switched from 'cpu' to 'wasm'");
    adapter.reset();
    adapter.predict(frame());
  });

  it('an adapter or a model that is disposed', async () => {
    const model = denseNetwork([4, 3]);
    const [adapter, other] = [adaptOnline(model), adaptOnline(model)];
    adapter.dispose();
    expect(() => adapter.predict(frame())).toThrow(OnlineAdapterError);
    expect(() => adapter.reset()).toThrow('The adapter is disposed');
    await expect(adapter.statistics()).rejects.toThrow(OnlineAdapterError);
    model.dispose();
    for (const call of [() => other.predict(frame()), () => other.reset(), () => adaptOnline(model)]) {
      expect(call).toThrow(OnlineAdapterError);
      expect(call).toThrow("Model 'net' is disposed");
    }
    other.dispose();
  });
});
