import { NormalizationBatchError } from '@rebatch/core';
import {
  BackendChangedError,
  DisposedTensorError,
  InputShapeError,
  InsufficientDataError,
  InvalidDataError,
  NoBatchNormError,
  NonFiniteActivationError,
  RecalibrationOptionError,
} from '@rebatch/recalibrate';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { InspectionOptionError, LabelsError } from './errors.ts';
import { inspect } from './inspect.ts';
import { classesOf, makeModel, makeNetwork, precise, toTensors, weightsOf } from './network.test.support.ts';
import type { InspectionOptions } from './options.ts';

const WIDTH = 5;
const random = seededRandom(4);
const network = makeNetwork(random, [WIDTH, 6, 5, 3]);
const batches = Array.from({ length: 12 }, () => random.normals(8 * WIDTH));
const labels = batches.map((batch) => classesOf(network, batch));
const stored = precise(network, batches);
let model: tfl.Sequential;
let before: number[][];

beforeAll(async () => {
  await tf.setBackend('cpu');
  model = makeModel(network, stored);
  before = weightsOf(model);
});
afterAll(() => model.dispose());

type Data = { xs: tf.Tensor; ys?: tf.Tensor }[];

/** Inspects; whatever happens, no tensor is left and the model is bit by bit what it was. */
async function attempt(
  change: (data: Data) => unknown = (data) => data,
  options: InspectionOptions = {},
  withLabels = true,
): Promise<unknown> {
  const data: Data = toTensors(batches, WIDTH, withLabels ? labels : undefined);
  const tensors = () => tf.memory().numTensors;
  const made = tf.memory().numTensors;
  const changed = change(data);
  const result = await inspect(model, changed as never, options).catch((error: unknown) => error);
  tf.dispose(data);
  if (Array.isArray(changed)) tf.dispose(changed as tf.TensorContainer);
  expect(tensors(), 'tensors left').toBeLessThanOrEqual(
    made - 2 * batches.length + (withLabels ? 0 : batches.length),
  );
  expect(weightsOf(model)).toEqual(before);
  return result;
}

const replaced = (at: number, change: (batch: Data[number]) => unknown) => (data: Data) =>
  data.map((batch, i) => (i === at ? change(batch) : batch));

describe('what does not fit is refused, with what to do', () => {
  test.each<[string, InspectionOptions, new (message: string) => Error, RegExp]>([
    [
      'labels',
      { labels: 'yes' as never },
      InspectionOptionError,
      /inspect: expected option labels to be 'auto', true or false, got "yes"/,
    ],
    [
      'batchSize',
      { batchSize: 0 },
      InspectionOptionError,
      /inspect: expected option batchSize to be an integer >= 1, got 0/,
    ],
    ['seed', { seed: -1 }, InspectionOptionError, /seed/],
    ...['8', [8], true, null].flatMap(
      (value): [string, InspectionOptions, new (message: string) => Error, RegExp][] => [
        [
          'batchSize',
          { batchSize: value as never },
          InspectionOptionError,
          /batchSize to be an integer >= 1/,
        ],
        ['seed', { seed: value as never }, InspectionOptionError, /seed to be an integer >= 0/],
        [
          'samples',
          { samples: value as never },
          RecalibrationOptionError,
          /inspect: expected option samples/,
        ],
        [
          'tolerance',
          { tolerance: value as never },
          RecalibrationOptionError,
          /inspect: expected option tolerance to be a finite number > 0/,
        ],
      ],
    ),
    ['signal', { signal: {} as never }, InspectionOptionError, /signal to be an AbortSignal/],
    ['onProgress', { onProgress: {} as never }, InspectionOptionError, /onProgress to be a function/],
    [
      'that does not exist',
      { batchsize: 4 } as InspectionOptions,
      InspectionOptionError,
      /inspect: .* got one of the name "batchsize"\. Did you mean batchSize\?/,
    ],
    ['samples', { samples: 0 }, RecalibrationOptionError, /samples/],
    ['tolerance', { samples: 'auto', tolerance: 0 }, RecalibrationOptionError, /tolerance/],
  ])('option %s', async (_, options, kind, message) => {
    const error = await attempt(undefined, options);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
  });

  test.each<[string, (data: Data) => unknown, InspectionOptions, new (message: string) => Error, RegExp]>([
    ['no data', () => [], {}, InsufficientDataError, /at least one batch/],
    ['another kind of data', () => 7, {}, InvalidDataError, /got 7/],
    ['a single pair', (data) => data[0], {}, InvalidDataError, /into an array/],
    ['a batch of text', replaced(1, () => 'text'), { labels: false }, InvalidDataError, /Batch 1/],
    [
      'one batch',
      (data) => data.slice(0, 1),
      { labels: false },
      InsufficientDataError,
      /at least 2 batches, got 1/,
    ],
    [
      'two labeled batches',
      (data) => data.slice(0, 2),
      {},
      InsufficientDataError,
      /at least 3 batches .*held out/,
    ],
    ['fewer samples', (data) => data, { samples: 1000 }, InsufficientDataError, /1000 samples/],
    [
      'less than a batch',
      (data) => data,
      { batchSize: 97 },
      InsufficientDataError,
      /97 samples, but the data has 96/,
    ],
    [
      'another shape',
      replaced(2, ({ ys }) => ({ xs: tf.zeros([8, 4]), ys })),
      {},
      InputShapeError,
      /Batch 2/,
    ],
    [
      'another kind to be joined',
      replaced(1, ({ xs, ys }) => ({ xs: tf.cast(xs, 'int32'), ys })),
      { batchSize: 16 },
      InvalidDataError,
      /float32 \[\?, 5\], int32 \[\?\] and int32 \[\?, 5\]/,
    ],
    ['a batch of one', (data) => data, { batchSize: 1 }, NormalizationBatchError, /bn0/],
    [
      'NaN',
      replaced(3, ({ ys }) => ({ xs: tf.fill([8, 5], Number.NaN), ys })),
      {},
      NonFiniteActivationError,
      // There is no option nonFinite here.
      /batch 3: .* Look for NaN in the data and in the weights\.$/,
    ],
    [
      'no labels',
      replaced(0, ({ xs }) => xs),
      { labels: true },
      LabelsError,
      /Batch 0: expected \{xs, ys\}, got no ys/,
    ],
    ['labels that end', replaced(4, ({ xs }) => ({ xs })), {}, LabelsError, /Batch 4: .* as batch 0 was/],
    [
      'a class too many',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.fill([8], 3, 'int32') })),
      {},
      LabelsError,
      /from 0 to 2, got 3/,
    ],
    [
      'half a class',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.fill([8], 0.5) })),
      {},
      LabelsError,
      /got 0.5/,
    ],
    [
      'empty one-hot rows',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.zeros([8, 3]) })),
      {},
      LabelsError,
      /row with one largest value, got \[0, 0, 0\]/,
    ],
    [
      'several classes at once',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.tensor2d(Array.from({ length: 8 }, () => [1, 0, 1])) })),
      {},
      LabelsError,
      /label 0: .*got \[1, 0, 1\]\. Each label is one class: a one-hot row, a row of probabilities, or an integer.*multi-hot.*labels: false/,
    ],
    [
      'probabilities of which two are largest',
      (data) =>
        data.map(({ xs }) => ({ xs, ys: tf.tensor2d(Array.from({ length: 8 }, () => [0.2, 0.4, 0.4])) })),
      {},
      LabelsError,
      /label 0: expected a row with one largest value/,
    ],
    [
      'rows with NaN',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.fill([8, 3], Number.NaN) })),
      {},
      LabelsError,
      /label 0: expected a row with one largest value, got \[NaN, NaN, NaN\]/,
    ],
    [
      'boxes',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.zeros([20, 4]) })),
      { batchSize: 4 },
      LabelsError,
      /Batch 0: expected ys .*got a tensor of shape \[20, 4\].*labels: false/,
    ],
    [
      'names of classes',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.fill([8], '1', 'string') })),
      {},
      LabelsError,
      /Batch 0: expected ys as numbers, got a tensor of strings/,
    ],
    [
      'labels of other samples',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.zeros([5]) })),
      {},
      LabelsError,
      /for the output 'dense2', one-hot/,
    ],
    [
      'too few labels',
      (data) => data.map(({ xs }) => ({ xs, ys: tf.zeros([7]) })),
      {},
      LabelsError,
      /\[8, 3\] or integer classes of shape \[8\], got a tensor of shape \[7\]/,
    ],
    [
      'labels that are no tensor',
      (data) => data.map(({ xs }) => ({ xs, ys: 'cat' })),
      {},
      LabelsError,
      /got "cat"/,
    ],
  ])('%s', async (_, change, options, kind, message) => {
    const error = await attempt(change, options);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
  });

  test('disposed tensors', async () => {
    const error = await attempt((data) => {
      data[2]!.xs.dispose();
      return data;
    });
    expect(error).toBeInstanceOf(DisposedTensorError);
  });

  test('a dataset without end', async () => {
    const endless = {
      size: Number.POSITIVE_INFINITY,
      iterator: () => Promise.reject(new Error('not to be opened')),
    };
    expect(await attempt(() => endless)).toBeInstanceOf(InvalidDataError);
  });

  test('models without batch normalization, or whose outputs are no classes', async () => {
    const data = toTensors(batches, WIDTH, labels);
    const plain = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [WIDTH] })] });
    await expect(inspect(plain, data)).rejects.toThrow(NoBatchNormError);
    const input = tfl.input({ shape: [WIDTH] });
    const normalized = tfl.layers.batchNormalization().apply(input) as tfl.SymbolicTensor;
    const head = () => tfl.layers.dense({ units: 1 }).apply(normalized) as tfl.SymbolicTensor;
    const two = tfl.model({ inputs: input, outputs: [head(), head()] });
    await expect(inspect(two, data)).rejects.toThrow(/has 2 outputs.*labels: false/);
    expect((await inspect(two, data, { labels: false })).errors).toBeNull();
    const regression = tfl.model({ inputs: input, outputs: head() });
    await expect(inspect(regression, data)).rejects.toThrow(LabelsError);
    tf.dispose(data);
    for (const one of [plain, two]) one.dispose();
  });
});

describe('interruptions leave nothing behind', () => {
  test.each(['statistics', 'accumulation', 'errors'] as const)('abort in phase %s', async (phase) => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const error = await attempt(undefined, {
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.phase === phase) abort.abort(reason);
      },
    });
    expect(error).toBe(reason);
  });

  test('what waits for the event loop is heard while the errors are measured', async () => {
    // Every look at the clock finds it time for a pause. No timer: a millisecond may be longer than the rest.
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 100));
    const abort = new AbortController();
    const reason = new Error('heard');
    const error = await attempt(undefined, {
      signal: abort.signal,
      onProgress: ({ phase }) => {
        if (phase === 'accumulation') setImmediate(() => abort.abort(reason));
      },
    });
    clock.mockRestore();
    expect(error).toBe(reason);
  });

  test('a progress callback that throws', async () => {
    for (const phase of ['statistics', 'accumulation', 'errors']) {
      const error = await attempt(undefined, {
        onProgress: (progress) => {
          if (progress.phase === phase) throw new Error(`no ${phase}`);
        },
      });
      expect((error as Error).message).toBe(`no ${phase}`);
    }
  });

  test('another backend in the middle', async () => {
    await tf.setBackend('wasm');
    await tf.setBackend('cpu');
    let switched: Promise<boolean> | undefined;
    const error = await attempt(undefined, {
      onProgress: ({ phase }) => {
        if (phase === 'accumulation') switched = tf.setBackend('wasm');
      },
    });
    await switched;
    await tf.setBackend('cpu');
    expect(error).toBeInstanceOf(BackendChangedError);
  });
});

test('leaves no tensor behind, and the model as it was', async () => {
  for (const withLabels of [true, false]) {
    await expectNoLeaks(tf, async () => {
      const data = toTensors(batches, WIDTH, withLabels ? labels : undefined);
      await inspect(model, data);
      tf.dispose(data);
    });
  }
  expect(weightsOf(model)).toEqual(before);
});
