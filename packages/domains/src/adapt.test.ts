import * as recalibration from '@rebatch/recalibrate';
import {
  expectClose,
  expectNoLeaks,
  referenceMoments,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AdaptOptions, adapt } from './adapt.ts';

const WIDTH = 4;
const EPSILON = 1e-3;
const SAMPLES = 24;
const random = seededRandom(31);
const kernel = random.normals(WIDTH * WIDTH);
// The target is far from the statistics that the model has: mean 1, variance 4.
const target = random.normals(SAMPLES * WIDTH, -2, 3);
const batches = [0, 8, 16].map((start) => target.slice(start * WIDTH, (start + 8) * WIDTH));
/** For how many samples the source counts unless one says otherwise. */
const DEFAULT_PRIOR = 8;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** BN, ReLU, dense, BN. */
function makeModel(): tfl.Sequential {
  const norm = (name: string, inputShape?: number[]) =>
    tfl.layers.batchNormalization({
      epsilon: EPSILON,
      name,
      inputShape,
      movingMeanInitializer: 'ones',
      movingVarianceInitializer: tfl.initializers.constant({ value: 4 }),
    });
  const dense = tfl.layers.dense({ units: WIDTH, useBias: false });
  const model = tfl.sequential({ layers: [norm('bn0', [WIDTH]), tfl.layers.reLU(), dense, norm('bn1')] });
  tf.tidy(() => dense.setWeights([tf.tensor2d(kernel, [WIDTH, WIDTH])]));
  return model;
}

const layout = { outer: SAMPLES, channels: WIDTH, inner: 1, groups: 1 };

function blend(values: ArrayLike<number>, prior: number) {
  const { mean, variance } = referenceMoments(values, layout);
  const mix = (old: number, fresh: number) => (prior * old + SAMPLES * fresh) / (prior + SAMPLES);
  return { mean: mean.map((m) => mix(1, m)), variance: variance.map((v) => mix(4, v)) };
}

/** Each layer behind layers on their blended statistics. */
function reference(prior: number) {
  const first = blend(target, prior);
  const y = referenceNormalize(target, layout, first, { epsilon: EPSILON });
  const z = Float64Array.from(target, (_, at) => {
    const [row, unit] = [Math.floor(at / WIDTH), at % WIDTH];
    let sum = 0;
    for (let i = 0; i < WIDTH; i++) sum += Math.max(0, y[row * WIDTH + i]!) * kernel[i * WIDTH + unit]!;
    return sum;
  });
  return [first, blend(z, prior)];
}

async function expectAdapted(model: tfl.LayersModel, prior: number): Promise<void> {
  const statistics = await recalibration.captureStatistics(model);
  reference(prior).forEach(({ mean, variance }, i) => {
    expectClose(statistics[i]!.mean, mean, 1e-5, `mean of bn${i}`);
    expectClose(statistics[i]!.variance, variance, 1e-5, `variance of bn${i}`);
  });
}

const tensorOf = (batch: Float32Array) => tf.tensor2d(batch, [batch.length / WIDTH, WIDTH]);
const bytesOf = (model: tfl.LayersModel) =>
  model.getWeights().map((weight) => new Uint8Array(Float32Array.from(weight.dataSync()).buffer));

test.each([undefined, 0, 5, 100])('statistics move towards the target, with prior %s', async (prior) => {
  const model = makeModel();
  const x = tensorOf(target);
  const report = await adapt(model, x, { prior });
  await expectAdapted(model, prior ?? DEFAULT_PRIOR);
  expect(report).toMatchObject({ mode: 'layerwise', prior: prior ?? DEFAULT_PRIOR, samples: SAMPLES });
  expect(report.layers.every(({ shift }) => shift!.mean.rms > 0.05)).toBe(true);
  tf.dispose(x);
  model.dispose();
});

const kinds: Record<string, () => recalibration.RecalibrationData> = {
  'a dataset with labels': () =>
    tfd
      .array(
        Array.from({ length: SAMPLES }, (_, i) => ({
          xs: [...target.slice(i * WIDTH, (i + 1) * WIDTH)],
          ys: 1,
        })),
      )
      .batch(7),
  'an iterable': () => ({
    *[Symbol.iterator]() {
      for (const batch of batches) yield tensorOf(batch);
    },
  }),
  'an async iterable': () => ({
    async *[Symbol.asyncIterator]() {
      for (const batch of batches) yield tensorOf(batch);
    },
  }),
};

test.each(Object.entries(kinds))('data as %s, whose tensors are disposed', async (_, make) => {
  const model = makeModel();
  const source = await recalibration.captureStatistics(model);
  await expectNoLeaks(tf, () => {
    recalibration.applyStatistics(model, source);
    return adapt(model, make());
  });
  await expectAdapted(model, DEFAULT_PRIOR);
  model.dispose();
});

test('data as an array, whose tensors stay', async () => {
  const model = makeModel();
  const xs = batches.map(tensorOf);
  await adapt(model, xs);
  await expectAdapted(model, DEFAULT_PRIOR);
  expect(xs.some(({ isDisposed }) => isDisposed)).toBe(false);
  tf.dispose(xs);
  model.dispose();
});

test("a generator serves mode 'batch' only", async () => {
  const model = makeModel();
  function* stream() {
    for (const batch of batches) yield tensorOf(batch);
  }
  await expect(adapt(model, stream())).rejects.toThrow(/read only once.*'batch'/s);
  await expectNoLeaks(tf, () => adapt(model, stream(), { mode: 'batch' }));
  model.dispose();
});

describe('what fails leaves the model bit by bit', () => {
  async function failure(
    options: AdaptOptions,
    data: recalibration.RecalibrationData = kinds['an iterable']!(),
    model = makeModel(),
  ): Promise<unknown> {
    const before = bytesOf(model);
    const { numTensors, numDataBuffers } = tf.memory();
    const error = await adapt(model, data, options).then(
      () => expect.fail('adapt was expected to fail'),
      (reason: unknown) => reason,
    );
    expect(bytesOf(model)).toEqual(before);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
    model.dispose();
    return error;
  }

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 'much', '8', [8], true, null])(
    'a prior of %s',
    async (prior) => {
      const error = await failure({ prior: prior as number });
      expect(error).toBeInstanceOf(recalibration.RecalibrationOptionError);
      expect(String(error)).toMatch(/adapt: expected option prior to be a finite number >= 0/);
    },
  );

  test('an option that does not exist', async () => {
    const error = await failure({ priors: 8 } as object);
    expect(error).toBeInstanceOf(recalibration.RecalibrationOptionError);
    expect(String(error)).toMatch(
      /adapt: expected only options that there are.*"priors"\. Did you mean prior\?/,
    );
  });

  test('source statistics that are not finite', async () => {
    const model = makeModel();
    const [gamma, beta, mean] = model.getLayer('bn1').getWeights();
    const broken = tf.fill([WIDTH], Number.NaN);
    model.getLayer('bn1').setWeights([gamma!, beta!, mean!, broken]);
    broken.dispose();
    const error = await failure({}, undefined, model);
    expect(error).toBeInstanceOf(recalibration.StatisticsError);
    expect(String(error)).toMatch(/Layer 'bn1'.*variance NaN.*prior: 0/);
  });

  test('activations that are not finite', async () => {
    const data = {
      *[Symbol.iterator]() {
        yield tensorOf(batches[0]!);
        yield tf.fill([8, WIDTH], Number.NaN);
      },
    };
    expect(await failure({}, data)).toBeInstanceOf(recalibration.NonFiniteActivationError);
  });

  test('no data, and too few samples', async () => {
    expect(await failure({}, [])).toBeInstanceOf(recalibration.InsufficientDataError);
    expect(await failure({ samples: 100 })).toBeInstanceOf(recalibration.InsufficientDataError);
  });

  test('an abort, at the last batch of the last pass', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const onProgress = ({ pass, passes, samples }: recalibration.RecalibrationProgress) => {
      if (pass === passes && samples === SAMPLES) controller.abort(reason);
    };
    expect(await failure({ signal: controller.signal, onProgress })).toBe(reason);
  });
});
