// One value per channel: a bottleneck of 1x1 with one image a batch, as in pix2pix.
import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { disposeWeights, outputAndGradients } from './backends.test.support.ts';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
  NormalizationBatchError,
} from './index.ts';

const SHAPE = [1, 1, 1, 3];

function built(config: BatchNormalizationConfig, shape = SHAPE) {
  const layer = batchNormalization({ name: 'bn', momentum: 0.75, ...config });
  layer.build(shape);
  randomizeWeights(layer, 3);
  return layer;
}

onEachBackend(() => {
  test('is refused, unless the layer is told to do as TensorFlow: beta, no gradient, a variance of 0', () => {
    const [x, dy] = [randomTensor(SHAPE, 1), randomTensor(SHAPE, 2)];
    const layer = built({});
    const before = weightValues(layer) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const train = () => layer.apply(x, { training: true });
    expect(train).toThrow(NormalizationBatchError);
    expect(train).toThrow(/Layer 'bn': .*\[1, 1, 1, 3\].*singleValue: 'normalize'/);
    expect(weightValues(layer)).toEqual(before);

    layer.singleValue = 'normalize';
    const { y, dx, dweights } = outputAndGradients(layer, x, dy, true);
    const [, beta, mean, variance] = before;
    expect(y).toEqual(beta);
    // Two equal terms, of up to 1 / sqrt(epsilon) times dy, cancel.
    for (const slope of dx) expect(Math.abs(slope)).toBeLessThan(1e-4);
    expect([...dweights[0]!].map(Math.abs)).toEqual([0, 0, 0]);
    expect(dweights[1]).toEqual(dy.dataSync());
    const [, , nextMean, nextVariance] = weightValues(layer);
    const values = x.dataSync();
    expectClose(
      nextMean!,
      mean.map((old, c) => 0.75 * old + 0.25 * values[c]!),
      1e-6,
    );
    expectClose(
      nextVariance!,
      variance.map((old) => 0.75 * old),
      1e-6,
    );
    tf.dispose([x, dy]);
    disposeWeights(layer);
  });

  test('the stock layer, which does so unasked, gives the same', () => {
    const x = randomTensor([1, 3], 5);
    const [stock, ours] = [tfl.layers.batchNormalization(), batchNormalization({ singleValue: 'normalize' })];
    for (const layer of [stock, ours]) {
      layer.build([1, 3]);
      randomizeWeights(layer, 4);
    }
    const trained = (layer: tfl.layers.Layer) =>
      tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
    expectClose(trained(ours), trained(stock), 1e-6);
    for (const [i, values] of weightValues(stock).entries())
      expectClose(weightValues(ours)[i]!, values, 1e-6);
    x.dispose();
  });

  test('of each normalization batch, and by the batch in inference', () => {
    const config = { normalizationBatchSize: 1, inferenceStatistics: 'batch' } as const;
    const layer = built({ ...config, singleValue: 'normalize' }, [3, 3]);
    const x = randomTensor([3, 3], 1);
    const [, beta] = weightValues(layer);
    for (const training of [false, true]) {
      const y = tf.tidy(() => (layer.apply(x, { training }) as tf.Tensor).dataSync().slice());
      expect([...y]).toEqual([...beta!, ...beta!, ...beta!]);
    }
    layer.singleValue = 'throw';
    expect(() => layer.apply(x)).toThrow('at least 2 values per channel in each of 3 normalization batches');
    x.dispose();
  });
});

test('the choice is saved with the layer, where it is not the default', () => {
  const layer = batchNormalization({ singleValue: 'normalize' });
  const again = BatchNormalization.fromConfig(BatchNormalization, layer.getConfig()) as BatchNormalization;
  expect(again.singleValue).toBe('normalize');
  expect(batchNormalization().getConfig()).not.toHaveProperty('singleValue');
  expect(() => batchNormalization({ singleValue: 'beta' as never })).toThrow(
    "expected singleValue to be 'throw' or 'normalize', got \"beta\"",
  );
});
