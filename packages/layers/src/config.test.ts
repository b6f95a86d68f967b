// What a layer can be configured with, and what it refuses.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
  InvalidInputError,
} from './index.ts';

test.each([
  { config: { axis: 4 }, shape: [null, 2, 3, 4], message: /'bn'.*channel axis 4.*\[null, 2, 3, 4\]/ },
  { config: { axis: -5 }, shape: [null, 2, 3, 4], message: /'bn'.*channel axis -5/ },
  {
    config: { axis: 0 },
    shape: [null, 2],
    message: /'bn'.*channel axis 0 to have a known size.*\[null, 2\]/,
  },
  { config: {}, shape: [null, 2, null], message: /'bn'.*known size.*\[null, 2, null\]/ },
  { config: {}, shape: [3], message: /'bn'.*rank 2 or more/ },
])('refuses to be built for a shape without its channels: $config, $shape', ({ config, shape, message }) => {
  const layer = batchNormalization({ ...config, name: 'bn' });
  const before = tf.memory().numTensors;
  expect(() => layer.build(shape)).toThrow(InvalidInputError);
  expect(() => layer.build(shape)).toThrow(message);
  expect(layer.built).toBe(false);
  expect(tf.memory().numTensors).toBe(before);
});

test.each([
  { config: { axis: 1.5 }, message: /'bn'.*axis.*1\.5/ },
  { config: { axis: [1, 2] as never }, message: /'bn'.*axis.*got \[1, 2\]\.$/ },
  { config: { axis: { of: 1 } as never }, message: /'bn'.*axis.*got an object with of\.$/ },
  { config: { momentum: 1.1 }, message: /'bn'.*momentum to be a finite number >= 0 and <= 1, got 1\.1/ },
  { config: { momentum: Number.NaN }, message: /'bn'.*momentum.*NaN/ },
  { config: { epsilon: -1 }, message: /'bn'.*epsilon.*-1/ },
  { config: { epsilon: Number.POSITIVE_INFINITY }, message: /'bn'.*epsilon.*Infinity/ },
])('refuses a configuration that cannot work: $config', ({ config, message }) => {
  expect(() => batchNormalization({ ...config, name: 'bn' })).toThrow(InvalidInputError);
  expect(() => batchNormalization({ ...config, name: 'bn' })).toThrow(message);
});

test('takes numbers for numbers and booleans for yes and no, and converts nothing', () => {
  const coercible = ['0.5', '', [], [0.5], true, {}, new Number(0.5), 1n];
  const options = ['momentum', 'epsilon', 'normalizationBatchSize'];
  for (const option of options) {
    for (const value of coercible) {
      const make = () => batchNormalization({ name: 'bn', [option]: value } as object);
      expect(make, `${option}: ${String(value)}`).toThrow(InvalidInputError);
      expect(make).toThrow(`Layer 'bn': expected ${option} to be `);
    }
  }
  for (const option of ['center', 'scale']) {
    for (const value of ['false', 0, [], {}]) {
      const make = () => batchNormalization({ name: 'bn', [option]: value } as object);
      expect(make).toThrow(`Layer 'bn': expected ${option} to be true or false`);
    }
  }
});

test('an option that does not exist is refused with the nearest one; those of tf.layers are known', () => {
  const make = (config: object | null) => batchNormalization(config as object);
  expect(() => make({ name: 'bn', momentun: 0.9 })).toThrow(InvalidInputError);
  expect(() => make({ name: 'bn', momentun: 0.9 })).toThrow(
    'Layer \'bn\': expected only options that there are, got one of the name "momentun". Did you mean momentum?',
  );
  expect(() => make({ normalizationBatchsize: 4 })).toThrow('Did you mean normalizationBatchSize?');
  const stock = {
    name: 'known',
    trainable: true,
    inputShape: [2],
    batchInputShape: [4, 2],
    batchSize: 4,
    dtype: 'float32',
    inputDType: 'float32',
    weights: [1, 0, 0, 1].map((value) => tf.fill([2], value)),
    axis: -1,
    momentum: 0.9,
    epsilon: 0.1,
    center: true,
    scale: true,
    betaInitializer: 'zeros',
    gammaInitializer: 'ones',
    movingMeanInitializer: 'zeros',
    movingVarianceInitializer: 'ones',
    betaConstraint: 'nonNeg',
    gammaConstraint: 'nonNeg',
    betaRegularizer: 'l1l2',
    gammaRegularizer: 'l1l2',
  };
  expect(make(stock).getConfig()).toEqual(tfl.layers.batchNormalization(stock as object).getConfig());
  expect(make(null).epsilon).toBe(make({ epsilon: null }).epsilon);
});

test('classes that others derive may have options of their own', () => {
  class Own extends BatchNormalization {
    static override readonly className = 'Own';
    readonly extra: number;
    constructor(config: BatchNormalizationConfig & { readonly extra: number }) {
      super(config);
      this.extra = config.extra;
    }
  }
  expect(new Own({ extra: 3, momentum: 0.5 }).extra).toBe(3);
  expect(() => new Own({ extra: 3, momentum: '0.5' } as never)).toThrow('expected momentum to be');
});
