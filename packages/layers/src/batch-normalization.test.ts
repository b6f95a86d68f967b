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
import { buildPair, disposeWeights, outputAndGradients } from './backends.test.support.ts';
import {
  type BatchNormalizationConfig,
  batchNormalization,
  InvalidInputError,
  NormalizationBatchError,
} from './index.ts';

const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);

function layoutOf(shape: number[], axis: number) {
  const at = axis < 0 ? axis + shape.length : axis;
  return {
    outer: product(shape.slice(0, at)),
    channels: shape[at]!,
    inner: product(shape.slice(at + 1)),
    groups: 1,
  };
}

const STOCK_CASES: { shape: number[]; config: BatchNormalizationConfig }[] = [
  { shape: [9, 4], config: {} },
  { shape: [4, 6, 3], config: { momentum: 0.7 } },
  { shape: [3, 5, 4, 6], config: { epsilon: 0.1 } },
  { shape: [3, 4, 5, 2], config: { axis: 1 } },
  { shape: [3, 4, 5], config: { axis: 1, momentum: 0 } },
  { shape: [3, 4, 5, 2], config: { axis: -2, epsilon: 1e-5 } },
];

onEachBackend(() => {
  test.each(STOCK_CASES)('outputs and moves as the stock layer: $shape, $config', ({ shape, config }) => {
    const { stock, ours } = buildPair(config, shape);
    for (const [step, training] of [false, true, true, true, true, true, false].entries()) {
      const x = randomTensor(shape, step);
      const [actual, expected] = [ours, stock].map((layer) => layer.apply(x, { training }) as tf.Tensor);
      // For other axes than the last, the cpu and wasm backends give the stock layer wrong outputs, and no gradients.
      if (config.axis === undefined) expectClose(actual!.dataSync(), expected!.dataSync(), 1e-5);
      for (const [i, weight] of weightValues(ours).entries())
        expectClose(weight, weightValues(stock)[i]!, 1e-5);
      tf.dispose([x, actual!, expected!]);
    }
  });

  test.each(STOCK_CASES.filter(({ config }) => config.axis === undefined))(
    'has the gradients of the stock layer: $shape, $config',
    ({ shape, config }) => {
      const { stock, ours } = buildPair(config, shape);
      const [x, dy] = [randomTensor(shape, 1), randomTensor(shape, 2)];
      for (const training of [true, false]) {
        const expected = outputAndGradients(stock, x, dy, training);
        const actual = outputAndGradients(ours, x, dy, training);
        expectClose(actual.dx, expected.dx, 1e-4, 'dx');
        expectClose(actual.dweights[0]!, expected.dweights[0]!, 1e-5, 'dgamma');
        expectClose(actual.dweights[1]!, expected.dweights[1]!, 1e-5, 'dbeta');
      }
    },
  );

  test('matches the float64 reference on any shape, axis and choice of affine weights', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 });
    const cases = fc
      .record({
        shape: shapes,
        axisSeed: fc.nat(),
        center: fc.boolean(),
        scale: fc.boolean(),
        epsilon: fc.double({ min: 1e-4, max: 1, noNaN: true }),
        momentum: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ shape, axisSeed, ...rest }) => ({
        shape,
        axis: (axisSeed % (2 * shape.length)) - shape.length,
        ...rest,
      }))
      .filter(({ shape, axis }) => layoutOf(shape, axis).outer * layoutOf(shape, axis).inner > 1);
    fc.assert(
      fc.property(cases, ({ shape, ...config }) => {
        const layout = layoutOf(shape, config.axis);
        const layer = batchNormalization(config);
        layer.build(shape);
        randomizeWeights(layer, 3);
        const [x, dy] = [randomTensor(shape, 1), randomTensor(shape, 2)];
        const [values, upstream] = [x.dataSync<'float32'>(), dy.dataSync<'float32'>()];
        const read = (variable: { read(): tf.Tensor } | null | undefined) =>
          variable?.read().dataSync().slice();
        const before = [read(layer.movingMean)!, read(layer.movingVariance)!];
        const gamma = read(layer.gamma);
        const beta = read(layer.beta);
        const options = { ...(gamma && { gamma }), ...(beta && { beta }), epsilon: config.epsilon };

        const moving = { mean: before[0]!, variance: before[1]! };
        const inferred = outputAndGradients(layer, x, dy, false);
        expectClose(inferred.y, referenceNormalize(values, layout, moving, options), 1e-5, 'y in inference');
        // The gradient of that map of x, which is linear up to its constant.
        const slope = { mean: new Float64Array(layout.channels), variance: moving.variance };
        const { beta: _, ...withoutBeta } = options;
        expectClose(
          inferred.dx,
          referenceNormalize(upstream, layout, slope, withoutBeta),
          1e-5,
          'dx in inference',
        );

        const { y, dx, dweights } = outputAndGradients(layer, x, dy, true);
        const gradients = referenceBatchNormGradients(values, upstream, layout, options);
        expectClose(y, referenceBatchNorm(values, layout, options), 1e-5, 'y');
        // Where the gradients cancel almost to nothing, float32 can only be close to what cancelled.
        const scale = Math.max(...upstream.map(Math.abs)) / Math.sqrt(config.epsilon);
        for (const [i, value] of dx.entries())
          expect(Math.abs(value - gradients.dx[i]!)).toBeLessThan(1e-5 * scale);
        const expected = [
          ...(config.scale ? [gradients.dgamma] : []),
          ...(config.center ? [gradients.dbeta] : []),
        ];
        expect(dweights.length).toBe(expected.length);
        const total = 1e-5 * upstream.reduce((sum, value) => sum + Math.abs(value), 0);
        expected.forEach((gradient, k) => {
          for (const [i, value] of gradient.entries())
            expect(Math.abs(dweights[k]![i]! - value)).toBeLessThan(total);
        });

        const { mean, variance } = referenceMoments(values, layout);
        const moved = (old: ArrayLike<number>, batch: Float64Array) =>
          batch.map((value, i) => old[i]! - (old[i]! - value) * (1 - config.momentum));
        expectClose(read(layer.movingMean)!, moved(before[0]!, mean), 1e-5, 'moving mean');
        expectClose(read(layer.movingVariance)!, moved(before[1]!, variance), 1e-5, 'moving variance');
        tf.dispose([x, dy]);
        disposeWeights(layer);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  test('whole numbers are normalized as the same numbers in float32', () => {
    const { stock, ours } = buildPair({}, [4, 3]);
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 19], [4, 3], 'int32');
    for (const training of [false, true]) {
      // (On wasm the stock layer reads the bits of whole numbers as if they were floats.)
      const expected = stock.apply(tf.cast(x, 'float32'), { training }) as tf.Tensor;
      const actual = ours.apply(x, { training }) as tf.Tensor;
      expect(actual.dtype).toBe('float32');
      expectClose(actual.dataSync(), expected.dataSync(), 1e-5);
    }
  });

  test.each([
    { training: false, center: true, scale: true },
    { training: true, center: true, scale: true },
    { training: true, center: false, scale: false },
  ])('keeps no tensors: $training, $center, $scale', async ({ training, ...config }) => {
    const layer = batchNormalization(config);
    layer.build([6, 2, 4]);
    const x = randomTensor([6, 2, 4], 1);
    const dy = randomTensor([6, 2, 4], 2);
    await expectNoLeaks(tf, () => tf.dispose(layer.apply(x, { training }) as tf.Tensor));
    await expectNoLeaks(tf, () => void outputAndGradients(layer, x, dy, training));
    tf.dispose([x, dy]);
    await expectNoLeaks(tf, () => {
      const built = batchNormalization(config);
      built.build([6, 2, 4]);
      disposeWeights(built);
    });
  });

  test('one value per channel: an error that names the layer, and nothing moved or kept', async () => {
    const layer = batchNormalization({ name: 'bn_head' });
    layer.build([null, 3]);
    randomizeWeights(layer, 1);
    const before = weightValues(layer);
    const x = tf.ones([1, 3]);
    const act = () => layer.apply(x, { training: true });
    expect(act).toThrow(NormalizationBatchError);
    expect(act).toThrow(/'bn_head'.*at least 2 values per channel/);
    await expectNoLeaks(tf, () => expect(act).toThrow());
    expect(weightValues(layer)).toEqual(before);
    expect((layer.apply(x) as tf.Tensor).shape).toEqual([1, 3]);
  });
});

test('is a layer of tf.layers with the defaults, weights and names of the stock one', () => {
  const { stock, ours } = buildPair({ name: 'bn' }, [2, 3]);
  expect(ours).toBeInstanceOf(stock.constructor);
  expect(ours).toBeInstanceOf(tfl.layers.Layer);
  expect(ours.getConfig()).toEqual(stock.getConfig());
  expect(ours.getClassName()).toBe(stock.getClassName());
  const names = (layer: tfl.layers.Layer) =>
    layer.weights.map(({ originalName, shape, trainable }) => ({ originalName, shape, trainable }));
  expect(names(ours)).toEqual(names(stock));
  expect(names(ours).map(({ originalName }) => originalName)).toEqual([
    'gamma',
    'beta',
    'moving_mean',
    'moving_variance',
  ]);
  expect(ours.computeOutputShape([null, 3])).toEqual([null, 3]);
});

test('importing the package uses up no automatic layer name', () => {
  const numberOf = (layer: tfl.layers.Layer) => Number(/(\d+)$/.exec(layer.name)![1]);
  const first = numberOf(tfl.layers.batchNormalization());
  expect(numberOf(batchNormalization())).toBe(first + 1);
});

test('computes its mask as the stock layer does, and passes it on', () => {
  const outputs = [tfl.layers.batchNormalization, batchNormalization].map((create) => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.masking({ maskValue: 0, inputShape: [4, 2] }),
        create({}),
        tfl.layers.simpleRNN({ units: 3, kernelInitializer: 'ones', recurrentInitializer: 'ones' }),
      ],
    });
    // The last two steps are masked: only a layer that passes the mask on makes the recurrent layer skip them.
    const x = tf.tensor3d([
      [
        [0.1, 0.2],
        [0.3, -0.4],
        [0, 0],
        [0, 0],
      ],
    ]);
    const masked = (model.predict(x) as tf.Tensor).dataSync();
    const shorter = tf.slice(x, [0, 0, 0], [1, 2, 2]);
    const alone = tfl.sequential({
      layers: [
        create({ inputShape: [2, 2] }),
        tfl.layers.simpleRNN({ units: 3, kernelInitializer: 'ones', recurrentInitializer: 'ones' }),
      ],
    });
    expectClose(masked, (alone.predict(shorter) as tf.Tensor).dataSync(), 1e-6);
    return masked;
  });
  expectClose(outputs[1]!, outputs[0]!, 1e-6);
});

test('refuses several inputs, empty and disposed ones', () => {
  const layer = batchNormalization({ name: 'bn' });
  layer.build([null, 2]);
  const x = tf.ones([3, 2]);
  expect(() => layer.call([x, x])).toThrow(/'bn'.*one input tensor, got 2/);
  expect(() => layer.call(tf.zeros([0, 2]), { training: true })).toThrow(/'bn'.*empty/);
  x.dispose();
  expect(() => layer.call(x)).toThrow(InvalidInputError);
});
