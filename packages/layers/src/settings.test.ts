import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import {
  expectClose,
  expectNoLeaks,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceMoments,
  referenceNormalize,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disposeWeights, outputAndGradients } from './backends.test.support.ts';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
  convert,
  InvalidInputError,
  NormalizationBatchError,
} from './index.ts';

const EPSILON = 1e-3;

function built(config: BatchNormalizationConfig, shape: number[]): BatchNormalization {
  const layer = batchNormalization({ epsilon: EPSILON, ...config });
  layer.build(shape);
  randomizeWeights(layer, 3);
  return layer;
}

/** How `samples` are to be split by a normalization batch size: written out, not computed as the layer does. */
function expectedSizes(samples: number, size: number, valuesPerSample: number): number[] {
  const sizes: number[] = [];
  for (let left = samples; left > 0; left -= size) sizes.push(Math.min(left, size));
  if (sizes.length > 1 && sizes.at(-1)! * valuesPerSample === 1) sizes.push(sizes.pop()! + sizes.pop()!);
  return sizes;
}

/** Output, dx, and the moments of each normalization batch, of x [samples, ..., channels], by float64 loops. */
function reference(
  layer: BatchNormalization,
  x: Float32Array,
  dy: Float32Array,
  shape: number[],
  sizes: number[],
) {
  const [gamma, beta] = weightValues(layer) as [Float32Array, Float32Array];
  const channels = shape.at(-1)!;
  const perSample = x.length / shape[0]!;
  const y: number[] = [];
  const dx: number[] = [];
  const moments: { size: number; mean: Float64Array; variance: Float64Array }[] = [];
  let start = 0;
  for (const size of sizes) {
    const layout = { outer: (size * perSample) / channels, channels, inner: 1, groups: 1 };
    const [part, upstream] = [x, dy].map((all) => all.slice(start, start + size * perSample));
    y.push(...referenceBatchNorm(part!, layout, { gamma, beta, epsilon: EPSILON }));
    dx.push(...referenceBatchNormGradients(part!, upstream!, layout, { gamma, epsilon: EPSILON }).dx);
    moments.push({ size, ...referenceMoments(part!, layout) });
    start += size * perSample;
  }
  return { y, dx, moments };
}

onEachBackend(() => {
  test('normalizes each normalization batch by its own moments, the remainder included', () => {
    const cases = fc.record({
      samples: fc.integer({ min: 2, max: 13 }),
      spatial: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 2, max: 14 }),
    });
    fc.assert(
      fc.property(cases, ({ samples, spatial, channels, size }) => {
        const shape = [samples, spatial, channels];
        const layer = built({ normalizationBatchSize: size, momentum: 0.75 }, shape);
        const [x, dy] = [randomTensor(shape, 1), randomTensor(shape, 2)];
        const [values, upstream] = [x.dataSync<'float32'>(), dy.dataSync<'float32'>()];
        const sizes = expectedSizes(samples, size, spatial);
        const expected = reference(layer, values, upstream, shape, sizes);
        const before = weightValues(layer);
        const { y, dx } = outputAndGradients(layer, x, dy, true);
        expectClose(y, expected.y, 1e-5, 'y');
        const scale = Math.max(...upstream.map(Math.abs)) / Math.sqrt(EPSILON);
        for (const [i, value] of dx.entries())
          expect(Math.abs(value - expected.dx[i]!)).toBeLessThan(1e-5 * scale);

        // The EMA moves towards the mean of the normalization batches' moments, each weighted by its samples.
        const after = weightValues(layer);
        for (const [at, of] of [[2, 'mean'] as const, [3, 'variance'] as const]) {
          const moved = before[at]!.map((old, c) => {
            const mean = expected.moments.reduce(
              (sum, part) => sum + (part[of][c]! * part.size) / samples,
              0,
            );
            return old + (mean - old) * 0.25;
          });
          expectClose(after[at]!, moved, 1e-5, of);
        }
        tf.dispose([x, dy]);
        disposeWeights(layer);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  test('the whole batch as normalization batch is no normalization batch size', () => {
    const shape = [6, 2, 3];
    const [x, dy] = [randomTensor(shape, 1), randomTensor(shape, 2)];
    const plain = built({}, shape);
    const expected = outputAndGradients(plain, x, dy, true);
    for (const normalizationBatchSize of [6, 7, 1000]) {
      const layer = built({ normalizationBatchSize }, shape);
      expect(outputAndGradients(layer, x, dy, true)).toEqual(expected);
      expect(weightValues(layer)).toEqual(weightValues(plain));
    }
  });

  test('a normalization batch does not depend on the samples of another', () => {
    const layer = built({ normalizationBatchSize: 3 }, [8, 4]);
    const x = randomTensor([8, 4], 1);
    const other = tf.concat([tf.slice(x, 0, 3), tf.mul(tf.slice(x, 3, 3), 5), tf.slice(x, 6)]);
    const [y, otherY] = [x, other].map((input) => {
      const output = layer.apply(input, { training: true }) as tf.Tensor;
      return output.dataSync<'float32'>();
    });
    expect(otherY!.slice(0, 12)).toEqual(y!.slice(0, 12));
    expect(otherY!.slice(24)).toEqual(y!.slice(24));
    expect(otherY!.slice(12, 24)).not.toEqual(y!.slice(12, 24));
  });

  test('population statistics in training: the affine map of inference, and nothing moves', () => {
    const shape = [5, 3];
    const layer = built({ trainingStatistics: 'population' }, shape);
    const [x, dy] = [randomTensor(shape, 1), randomTensor(shape, 2)];
    const before = weightValues(layer);
    const [gamma, beta, mean, variance] = before as [Float32Array, Float32Array, Float32Array, Float32Array];
    const layout = { outer: 5, channels: 3, inner: 1, groups: 1 };
    const { y, dx, dweights } = outputAndGradients(layer, x, dy, true);
    const [values, upstream] = [x.dataSync(), dy.dataSync()];
    const moments = { mean, variance };
    expectClose(y, referenceNormalize(values, layout, moments, { gamma, beta, epsilon: EPSILON }), 1e-5);
    const zero = { mean: [0, 0, 0], variance };
    expectClose(dx, referenceNormalize(upstream, layout, zero, { gamma, epsilon: EPSILON }), 1e-5);
    const xhat = referenceNormalize(values, layout, moments, { epsilon: EPSILON });
    const sums = (of: (i: number) => number) =>
      [0, 1, 2].map((c) => [0, 1, 2, 3, 4].reduce((sum, row) => sum + of(row * 3 + c), 0));
    expectClose(
      dweights[0]!,
      sums((i) => upstream[i]! * xhat[i]!),
      1e-5,
      'dgamma',
    );
    expectClose(
      dweights[1]!,
      sums((i) => upstream[i]!),
      1e-5,
      'dbeta',
    );
    expect(weightValues(layer)).toEqual(before);
  });

  test('batch statistics in inference: what training computes, and nothing moves', () => {
    for (const normalizationBatchSize of [undefined, 3]) {
      const layer = built({ inferenceStatistics: 'batch', normalizationBatchSize }, [7, 2]);
      const before = weightValues(layer);
      const [x, dy] = [randomTensor([7, 2], 1), randomTensor([7, 2], 2)];
      const inferred = outputAndGradients(layer, x, dy, false);
      expect(weightValues(layer)).toEqual(before);
      expect(inferred).toEqual(outputAndGradients(layer, x, dy, true));
    }
  });

  test.each([
    { normalizationBatchSize: 3 },
    { normalizationBatchSize: 3, inferenceStatistics: 'batch' },
    { trainingStatistics: 'population' },
  ] satisfies BatchNormalizationConfig[])('keeps no tensors: %o', async (config) => {
    const layer = built(config, [8, 2, 3]);
    const [x, dy] = [randomTensor([8, 2, 3], 1), randomTensor([8, 2, 3], 2)];
    for (const training of [true, false]) {
      await expectNoLeaks(tf, () => tf.dispose(layer.apply(x, { training }) as tf.Tensor));
      await expectNoLeaks(tf, () => void outputAndGradients(layer, x, dy, training));
    }
  });
});

test('settings are saved with the layer, and only where they differ from the stock layer', () => {
  const settings: BatchNormalizationConfig = {
    trainingStatistics: 'population',
    inferenceStatistics: 'batch',
    normalizationBatchSize: 8,
  };
  const layer = batchNormalization({ name: 'bn', ...settings });
  const config = layer.getConfig();
  expect(config).toMatchObject(settings);
  const again = BatchNormalization.fromConfig(BatchNormalization, JSON.parse(JSON.stringify(config)));
  expect(again.getConfig()).toEqual(config);
  layer.trainingStatistics = 'batch';
  layer.inferenceStatistics = 'population';
  layer.normalizationBatchSize = undefined;
  expect(layer.getConfig()).toEqual(tfl.layers.batchNormalization({ name: 'bn' }).getConfig());
});

test('a model keeps its settings in JSON; without this package they are ignored', async () => {
  const model = tfl.sequential({
    layers: [
      batchNormalization({ inputShape: [3], normalizationBatchSize: 8, inferenceStatistics: 'batch' }),
    ],
  });
  const topology = JSON.parse(JSON.stringify(model.toJSON(null, false)));
  const stock = (await tfl.models.modelFromJSON(topology)).layers[0]!;
  expect(stock).not.toBeInstanceOf(BatchNormalization);
  expect(convert(tfl.sequential({ layers: [stock] })).layers[0]).toMatchObject({
    normalizationBatchSize: undefined,
    inferenceStatistics: 'population',
    trainingStatistics: 'batch',
  });
  await import('./register.ts');
  expect((await tfl.models.modelFromJSON(topology)).layers[0]).toMatchObject({
    normalizationBatchSize: 8,
    inferenceStatistics: 'batch',
    trainingStatistics: 'batch',
  });
});

test.each([
  [{ trainingStatistics: 'ema' }, /'bn'.*trainingStatistics to be 'batch' or 'population', got "ema"/],
  [{ inferenceStatistics: 1 }, /'bn'.*inferenceStatistics.*got 1/],
  [{ normalizationBatchSize: 0 }, /'bn'.*normalizationBatchSize to be an integer >= 1, got 0/],
  [{ normalizationBatchSize: 2.5 }, /'bn'.*normalizationBatchSize.*got 2\.5/],
  [{ frozen: { affine: 'no' } }, /'bn'.*frozen to be { affine: 'fixed' } or { affine: 'trainable' }, got/],
] as [object, RegExp][])('refuses settings that do not exist: %o', (config, message) => {
  const create = () => batchNormalization({ name: 'bn', ...config });
  expect(create).toThrow(InvalidInputError);
  expect(create).toThrow(message);
  if ('frozen' in config) return;
  const layer = batchNormalization({ name: 'bn' });
  expect(() => Object.assign(layer, config)).toThrow(message);
  expect(layer.getConfig()).toEqual(batchNormalization({ name: 'bn' }).getConfig());
});

test('normalization batches of single values, or of channels, are errors that name the layer', () => {
  const single = built({ name: 'bn', normalizationBatchSize: 1 }, [4, 2]);
  const before = weightValues(single);
  const act = () => single.apply(tf.ones([4, 2]), { training: true });
  expect(act).toThrow(NormalizationBatchError);
  expect(act).toThrow(/'bn'.*at least 2 values per channel/);
  expect(weightValues(single)).toEqual(before);
  const channels = built({ name: 'bn', normalizationBatchSize: 2, axis: 0 }, [4, 2]);
  expect(() => channels.apply(tf.ones([4, 2]), { training: true })).toThrow(/'bn'.*axis 0/);
});

test('a configuration is a copy: changing it, or what was given, does not change the layer', () => {
  const given: { affine: 'fixed' | 'trainable' } = { affine: 'fixed' };
  const layer = batchNormalization({ frozen: given });
  given.affine = 'trainable';
  expect(layer.frozen).toEqual({ affine: 'fixed' });
  (layer.getConfig().frozen as typeof given).affine = 'trainable';
  expect(layer.frozen).toEqual({ affine: 'fixed' });
  expect(layer.getConfig().frozen).toEqual({ affine: 'fixed' });
});
