// Padded steps, which a mask leaves out: values, gradients and statistics are those of the steps that count.
import { onEachBackend, randomizeWeights, weightValues } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disposeWeights } from './backends.test.support.ts';
import { batchNormalization, NormalizationBatchError } from './index.ts';
import { expectSeen, PADDED, plain, seen, VALID } from './mask.test.support.ts';

const { layers } = tfl;
const EPSILON = 1e-3;

onEachBackend(() => {
  test('behind masking, padded steps are normalized, and are no part of the statistics', () => {
    const layer = plain();
    const model = tfl.sequential({ layers: [layers.masking({ inputShape: [4, 2] }), layer] });
    const x = PADDED();
    const y = tf.tidy(() => (model.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
    expectClose(
      y,
      Array.from(x.dataSync(), (value, i) => (value - (i % 2 ? 6 : 5)) / Math.sqrt(8 + EPSILON)),
      1e-5,
    );
    expectSeen(seen(model, x), VALID);
    x.dispose();
  });

  test('random masks and normalization batches: values, gradients and moving statistics of a float64 loop', () => {
    const cases = fc.record({
      samples: fc.integer({ min: 1, max: 7 }),
      steps: fc.integer({ min: 1, max: 5 }),
      channels: fc.integer({ min: 1, max: 4 }),
      size: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
      order: fc.constantFrom('consecutive' as const, 'strided' as const),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(cases, ({ samples, steps, channels, size, order, seed }) => {
        const random = seededRandom(seed);
        const shape = [samples, steps, channels];
        const config = { normalizationBatchSize: size, normalizationBatchOrder: order };
        const layer = batchNormalization({ momentum: 0.75, epsilon: EPSILON, ...config });
        layer.build(shape);
        randomizeWeights(layer, seed + 1);
        const batchOf = (sample: number) => {
          const { of } = layer.normalizationBatches(samples, steps);
          return of?.[sample] ?? Math.floor((sample * batches) / samples);
        };
        const batches = layer.normalizationBatches(samples, steps).count;
        // At least two steps of each normalization batch count, or none of them.
        const counts = Array.from({ length: batches }, () => 0);
        const mask = Array.from({ length: samples * steps }, (_, block) => {
          const counted = random.uniform() < 0.6;
          if (counted) counts[batchOf(Math.floor(block / steps))]! += 1;
          return counted;
        });
        fc.pre(!counts.includes(1));

        const before = weightValues(layer) as [Float32Array, Float32Array, Float32Array, Float32Array];
        const [x, dy] = [
          random.normals(samples * steps * channels, 1, 2),
          random.normals(mask.length * channels),
        ];
        const places = Array.from(x, (_, i) => ({ channel: i % channels, block: Math.floor(i / channels) }));
        const slotOf = ({ channel, block }: (typeof places)[number]) =>
          batchOf(Math.floor(block / steps)) * channels + channel;
        const slots = {
          moments: places.map(slotOf),
          affine: places.map(({ channel }) => channel),
          counts: { moments: batches * channels, affine: channels },
        };
        const expected = referenceSlotNorm(x, dy, slots, {
          gamma: before[0],
          beta: before[1],
          epsilon: EPSILON,
          counted: places.map(({ block }) => mask[block]!),
        });
        const got = tf.tidy(() => {
          const call = (input: tf.Tensor) =>
            layer.apply(input, {
              training: true,
              mask: tf.tensor2d(mask.map(Number), [samples, steps], 'bool'),
            } as never) as tf.Tensor;
          const input = tf.tensor(x, shape);
          const gradients = tf.grads((input: tf.Tensor) => call(input))(
            [input, ...layer.trainableWeights.map((weight) => weight.read())],
            tf.tensor(dy, shape),
          );
          // The step that the gradients have made.
          const after = weightValues(layer);
          return { y: call(input).dataSync(), gradients: gradients.map((one) => one.dataSync()), after };
        });
        expectClose(got.y, expected.y, 1e-4, 'y');
        for (const [i, of] of (['dx', 'dgamma', 'dbeta'] as const).entries()) {
          const scale = Math.max(1, ...expected[of].map(Math.abs));
          for (const [j, value] of got.gradients[i]!.entries()) {
            expect(Math.abs(value - expected[of][j]!), `${of} ${j}`).toBeLessThan(2e-4 * scale);
          }
        }
        const total = counts.reduce((sum, count) => sum + count, 0);
        for (const [at, of] of [[2, 'mean'] as const, [3, 'variance'] as const]) {
          const moved = Array.from(before[at]!, (old, c) => {
            if (total === 0) return old;
            const mean = counts.reduce(
              (sum, count, batch) => sum + (count / total) * expected[of][batch * channels + c]!,
              0,
            );
            return old + (mean - old) * 0.25;
          });
          expectClose(got.after[at]!, moved, 1e-4, of);
        }
        disposeWeights(layer);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  test('batch statistics in inference leave padded steps out, too; population statistics do not look', () => {
    const layer = plain({ inferenceStatistics: 'batch' });
    const model = tfl.sequential({ layers: [layers.masking({ inputShape: [4, 2] }), layer] });
    const x = PADDED();
    const [inferred, trained] = [false, true].map((training) =>
      tf.tidy(() => (model.apply(x, { training }) as tf.Tensor).dataSync().slice()),
    );
    expect(inferred).toEqual(trained);
    layer.inferenceStatistics = 'population';
    layer.setWeights([tf.tensor1d([0, 0]), tf.tensor1d([1, 1])]);
    const population = tf.tidy(() => (model.apply(x) as tf.Tensor).dataSync().slice());
    expectClose(
      population,
      Array.from(x.dataSync(), (value) => value / Math.sqrt(1 + EPSILON)),
      1e-5,
    );
    x.dispose();
  });

  test('a model with masks trains, and leaks no tensors', async () => {
    const model = tfl.sequential({
      layers: [
        layers.masking({ inputShape: [4, 2] }),
        plain({ normalizationBatchSize: 1 }),
        layers.lstm({ units: 2, recurrentInitializer: 'glorotUniform' }),
        layers.dense({ units: 1 }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const [x, y] = [PADDED(), tf.ones([2, 1])];
    const first = (await model.trainOnBatch(x, y)) as number;
    // Each sequence is a normalization batch: of 1, 3, 5 and of 7, 9, and 3 to 2 is how they count.
    const [mean, variance] = weightValues(model.layers[1]!);
    expectClose(mean!, [5, 6], 1e-5);
    expectClose(variance!, [(3 * (8 / 3) + 2 * 1) / 5, (3 * (8 / 3) + 2 * 1) / 5], 1e-5);
    await expectNoLeaks(tf, () => model.trainOnBatch(x, y));
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) tf.dispose(model.apply(x, { training }) as tf.Tensor);
    });
    expect((await model.trainOnBatch(x, y)) as number).toBeLessThan(first);
    tf.dispose([x, y]);
  });

  test('where every step is padded, nothing moves', () => {
    const layer = plain({ momentum: 0.5 });
    const model = tfl.sequential({ layers: [layers.masking({ inputShape: [4, 2] }), layer] });
    const before = weightValues(layer);
    const y = tf.tidy(() =>
      (model.apply(tf.zeros([3, 4, 2]), { training: true }) as tf.Tensor).dataSync().slice(),
    );
    expect(weightValues(layer)).toEqual(before);
    expect(y.every(Number.isFinite)).toBe(true);
  });

  test('a single step that counts is refused by name, and moves nothing; or is normalized, if that is wanted', () => {
    const layer = plain({ name: 'bn', momentum: 0.5 });
    const model = tfl.sequential({ layers: [layers.masking({ inputShape: [2, 1] }), layer] });
    const before = weightValues(layer);
    const x = tf.tensor3d([[[3], [0]]]);
    const train = () => tf.tidy(() => (model.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
    expect(train).toThrow(NormalizationBatchError);
    expect(train).toThrow(/Layer 'bn'.*at least 2 values.*some steps are masked.*singleValue/);
    expect(weightValues(layer)).toEqual(before);
    layer.singleValue = 'normalize';
    expectClose(train(), [0, -3 / Math.sqrt(EPSILON)], 1e-5);
    expectClose(
      weightValues(layer).map(([value]) => value!),
      [1.5, 0.5],
      1e-6,
    );
    x.dispose();
  });
});
