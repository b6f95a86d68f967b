// Batches as detectors, sequences and pipelines bring them, against plain float64 loops.
import '@tensorflow/tfjs-backend-cpu';
import { NormalizationBatchError } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import { InvalidDataError } from '@rebatch/recalibrate';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { inspect } from './inspect.ts';
import {
  classesOf,
  makeModel,
  makeNetwork,
  merged,
  run,
  type Statistics,
  setWeights,
  toTensors,
} from './network.test.support.ts';
import type { InspectionOptions } from './options.ts';
import type { InspectionReport } from './report.ts';

const L = tfl.layers;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rms = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

/** The shift by its definition: in standard deviations of the stored ones, and as a difference of logarithms. */
function shiftOf(stored: Statistics, precise: Statistics) {
  const means = [...precise.mean].map((mean, c) => (mean - stored.mean[c]!) / Math.sqrt(stored.variance[c]!));
  const variances = [...precise.variance].map((variance, c) => Math.log(variance / stored.variance[c]!));
  return [rms(means), rms(variances)];
}

const shifts = ({ layers }: InspectionReport) =>
  layers.map(({ shift }) => [shift!.mean.rms, shift!.variance.rms]);

describe('batchSize cuts what the model reads, whatever else an element carries:', () => {
  const WIDTH = 5;
  const random = seededRandom(41);
  const network = makeNetwork(random, [WIDTH, 6, 4, 3]);
  const rows = Array.from({ length: 6 }, (_, i) => random.normals((i % 2 === 0 ? 10 : 6) * WIDTH));
  const stored = [6, 4].map((units) => ({
    mean: new Float64Array(units),
    variance: new Float64Array(units).fill(2),
  }));
  const all = Float32Array.from(rows.flatMap((batch) => [...batch]));
  const SIZE = 4;
  const cut = Array.from({ length: all.length / (SIZE * WIDTH) }, (_, i) =>
    all.slice(i * SIZE * WIDTH, (i + 1) * SIZE * WIDTH),
  );
  const seen = cut.map((batch) => run(network, batch).seen);
  const expected = stored.map((own, layer) => shiftOf(own, merged(seen.map((layers) => layers[layer]!))));

  const tensorOf = (batch: Float32Array) => tf.tensor2d(batch, [batch.length / WIDTH, WIDTH]);
  test.each<[string, (xs: tf.Tensor2D, i: number) => unknown]>([
    ['boxes of another number in each element', (xs, i) => ({ xs, ys: tf.zeros([3 + 7 * i, 4]) })],
    ['labels that are a list of lists', (xs) => ({ xs, ys: [[tf.zeros([2])], 'cat'] })],
    ['a scalar beside the inputs', (xs) => ({ xs, ys: tf.zeros([2, 2]), weight: tf.scalar(3) })],
    ['a scalar among the inputs', (xs) => ({ xs: { weight: tf.scalar(3), dense0_input: xs } })],
    ['inputs by name, without labels', (xs) => ({ dense0_input: xs, id: 'a' })],
    ['a list of one', (xs) => [xs]],
    ['the inputs as labels', (xs) => ({ xs, ys: xs })],
    ['a tensor', (xs) => xs],
  ])('%s', async (_, carry) => {
    const model = makeModel(network, stored);
    const elements = rows.map((batch, i) => carry(tensorOf(batch), i));
    const report = await inspect(model, elements as never, { batchSize: SIZE, labels: false });
    expect(report).toMatchObject({
      batchSize: SIZE,
      batches: cut.length,
      samples: all.length / WIDTH,
      errors: null,
    });
    for (const [layer, shift] of shifts(report).entries()) expectClose(shift, expected[layer]!, 1e-4);
    const pulled = () => rows.map((batch, i) => carry(tensorOf(batch), i));
    await expectNoLeaks(tf, () =>
      inspect(model, new Set(pulled()) as never, { batchSize: SIZE, labels: false }),
    );
    tf.dispose(elements as tf.TensorContainer);
    model.dispose();
  });

  test('labels stay with their samples', async () => {
    const model = makeModel(network, stored);
    // Right for every sample under the stored statistics, so that only a misplaced label is an error.
    const elements = rows.map((batch, i) => ({
      weight: tf.scalar(i),
      ys: tf.tensor1d(classesOf(network, batch, stored), 'int32'),
      xs: tensorOf(batch),
    }));
    const report = await inspect(model, elements, { batchSize: SIZE });
    expect(report.batches).toBe(cut.length);
    expect(report.errors!.samples).toBe(SIZE * Math.ceil(cut.length / 6));
    expect(report.errors!.stored.error).toBe(0);
    tf.dispose(elements);
    model.dispose();
  });
});

test('inputs by name are joined by name, in whatever order each element has them', async () => {
  const inputs = ['left', 'right'].map((name) => tfl.input({ shape: [2], name }));
  const joined = L.concatenate().apply(inputs) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs, outputs: L.batchNormalization().apply(joined) as tfl.SymbolicTensor });
  const random = seededRandom(7);
  const values = Array.from(
    { length: 12 },
    () => [random.normals(6, 0, 1), random.normals(6, 50, 3)] as const,
  );
  const elements = values.map(([a, b], i) => {
    const [left, right] = [tf.tensor2d(a, [3, 2]), tf.tensor2d(b, [3, 2])];
    return i % 2 === 0 ? { left, right } : { right, left };
  });
  const report = await inspect(model, elements, { batchSize: 4 });
  const channels = [0, 1, 2, 3].map((c) => {
    const own = values.flatMap(([a, b]) =>
      [0, 1, 2].map((row) => (c < 2 ? a[2 * row + c]! : b[2 * row + c - 2]!)),
    );
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return { mean, variance: own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length };
  });
  const expected = shiftOf(
    { mean: new Float64Array(4), variance: new Float64Array(4).fill(1) },
    {
      mean: Float64Array.from(channels, ({ mean }) => mean),
      variance: Float64Array.from(channels, ({ variance }) => variance),
    },
  );
  expect(report).toMatchObject({ batches: 9, batchSize: 4 });
  expectClose(shifts(report)[0]!, expected, 1e-4);
  tf.dispose(elements);
  model.dispose();
});

describe('batches of different shapes', () => {
  const normalizer = (channels: number) =>
    tfl.sequential({ layers: [L.batchNormalization({ inputShape: [null as never, channels], name: 'bn' })] });

  /** The moments of all values of one channel. */
  function momentsOf(batches: readonly ArrayLike<number>[]): Statistics {
    const values = batches.flatMap((batch) => Array.from(batch));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean: Float64Array.of(mean), variance: Float64Array.of(variance) };
  }
  const untouched = { mean: Float64Array.of(0), variance: Float64Array.of(1) };

  test.each([
    ['all of them', [3, 4, 5]],
    ['many', [3, 9, 4, 9, 5, 9, 9, 6, 9, 7, 9, 9]],
  ])('sequences of different lengths: %s', async (_, lengths) => {
    const model = normalizer(1);
    const random = seededRandom(3);
    const values = lengths.map((length) => random.normals(2 * length, 3, 2));
    const tensors = values.map((batch, i) => tf.tensor3d(batch, [2, lengths[i]!, 1]));
    await expectNoLeaks(tf, () => inspect(model, tensors));
    const report = await inspect(model, tensors);
    expect(report).toMatchObject({ batches: lengths.length, batchSize: 2, samples: 2 * lengths.length });
    expectClose(shifts(report)[0]!, shiftOf(untouched, momentsOf(values)), 1e-5);
    // Noise is that of batches as they come: the deviation of their means, unbiased, in population deviations.
    const means = values.map((batch) => momentsOf([batch]).mean[0]!);
    const center = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    const spread = means.reduce((sum, mean) => sum + (mean - center) ** 2, 0) / (means.length - 1);
    const population = momentsOf(values).variance[0]!;
    expectClose([report.layers[0]!.noise!.mean], [Math.sqrt(spread / population)], 1e-5);
    // Only those of one shape can run as one.
    expect(report.accumulation === null).toBe(lengths.length === 3);
    expect(report.layers[0]!.valuesPerBatch).toBe(2 * (lengths.length === 3 ? 3 : 9));
    tf.dispose(tensors);
    model.dispose();
  });

  test('images of different sizes, with labels', async () => {
    const conv = L.conv2d({
      filters: 1,
      kernelSize: 1,
      useBias: false,
      inputShape: [null, null, 1] as never,
    });
    const head = L.dense({ units: 2 });
    const layers = [conv, L.batchNormalization({ name: 'bn' }), L.globalAveragePooling2d({} as never), head];
    const model = tfl.sequential({ layers });
    setWeights(conv, [[2]]);
    setWeights(head, [
      [-1, 1],
      [0, 0],
    ]);
    const random = seededRandom(8);
    const sides = [4, 6, 4, 4, 5, 4, 4, 7, 4, 4, 4, 8];
    const values = sides.map((side) => random.normals(4 * side * side, 1, 2));
    const data = values.map((batch, i) => ({
      xs: tf.tensor4d(batch, [4, sides[i]!, sides[i]!, 1]),
      // The mean of an image decides its class, under statistics of mean 0 and variance 1.
      ys: tf.tensor1d(
        Array.from({ length: 4 }, (_, s) => {
          const size = sides[i]! ** 2;
          return Number(batch.slice(s * size, (s + 1) * size).reduce((sum, value) => sum + value, 0) > 0);
        }),
        'int32',
      ),
    }));
    const report = await inspect(model, data);
    expect(report.errors!.stored.error).toBe(0);
    expect(report.batches).toBe(12);
    expect(report.layers[0]!.valuesPerBatch).toBe(4 * 16);
    await expectNoLeaks(tf, () => inspect(model, data));
    tf.dispose(data);
    model.dispose();
  });

  test('a layer that is applied twice', async () => {
    const input = tfl.input({ shape: [null as never, 2] });
    const shared = L.batchNormalization({ name: 'shared' });
    const twice = [input, L.reLU().apply(input)].map((x) => shared.apply(x) as tfl.SymbolicTensor);
    const model = tfl.model({ inputs: input, outputs: L.add().apply(twice) as tfl.SymbolicTensor });
    const tensors = Array.from({ length: 24 }, (_, i) =>
      tf.randomNormal([8, 3 + (i % 5 === 0 ? i : 0), 2], 1, 1, 'float32', i),
    );
    const report = await inspect(model, tensors);
    expect(report.layers[0]).toMatchObject({ applications: 2, valuesPerBatch: 24 });
    expect(report.accumulation!.batches).toBeGreaterThan(1);
    tf.dispose(tensors);
    model.dispose();
  });

  test('are joined to a batch size only if they are alike', async () => {
    const model = normalizer(1);
    const tensors = [4, 4, 6].map((length) => tf.randomNormal([2, length, 1]));
    // Each holds whole batches of the size: nothing has to be joined.
    expect((await inspect(model, tensors, { batchSize: 2 })).batches).toBe(3);
    const joined = inspect(model, tensors, { batchSize: 3 });
    await expect(joined).rejects.toThrow(InvalidDataError);
    await expect(joined).rejects.toThrow(/float32 \[\?, 4, 1\] and float32 \[\?, 6, 1\]/);
    tf.dispose(tensors);
    model.dispose();
  });
});

describe('a last batch of one sample', () => {
  const WIDTH = 4;
  const random = seededRandom(53);
  const network = makeNetwork(random, [WIDTH, 5, 3]);
  const stored = [{ mean: new Float64Array(5), variance: new Float64Array(5).fill(1) }];
  const batches = [32, 32, 32, 32, 32, 32, 1].map((samples) => random.normals(samples * WIDTH));
  const inspected = async (options: InspectionOptions, masked = false) => {
    const model = masked ? maskedModel() : makeModel(network, stored);
    const data = masked ? maskedData() : toTensors(batches, WIDTH);
    try {
      return await inspect(model, data, options);
    } finally {
      tf.dispose(data);
      model.dispose();
    }
  };
  const maskedModel = () =>
    tfl.sequential({
      layers: [L.masking({ maskValue: 0, inputShape: [2, WIDTH] }), batchNormalization({ name: 'bn0' })],
    });
  /** Of two samples of two steps each, three of the last four are masked. */
  const maskedData = () =>
    Array.from({ length: 6 }, (_, i) => {
      const values = random.normals(4 * WIDTH);
      return tf.tensor3d(i === 5 ? values.fill(0, WIDTH) : values, [2, 2, WIDTH]);
    });
  /** What the message says after its colon. */
  const REMEDY =
    /would erase the input: use larger batches, such as by batchSize: 32, which cuts and joins what comes and leaves out what remains at the end; or leave out a last batch of one sample\.$/;

  test.each([
    ['the batch', false, "Layer 'bn0', batch 6: .*shape \\[1, 5\\]"],
    ['all steps but one masked', true, "Layer 'bn0', batch 5: .*all other steps are masked"],
  ])('is refused with what can be done in inspect: %s', async (_, masked, what) => {
    const { numTensors } = tf.memory();
    await expect(inspected({}, masked)).rejects.toThrow(NormalizationBatchError);
    await expect(inspected({}, masked)).rejects.toThrow(new RegExp(what));
    await expect(inspected({}, masked)).rejects.toThrow(REMEDY);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('is left out by batchSize, as the message says', async () => {
    const { samples, layers } = await inspected({ batchSize: 32 });
    expect(samples).toBe(192);
    const seen = batches.slice(0, 6).map((batch) => run(network, batch).seen[0]!);
    const { rms: found } = layers[0]!.shift!.mean;
    expect(found).toBeCloseTo(shiftOf(stored[0]!, merged(seen))[0]!, 4);
  });
});
