import { stat } from 'node:fs/promises';
import '@rebatch/kernels-wasm';
import { loadDigits } from '@rebatch/digits';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { readDigitModel } from './digit-model.test.support.ts';
import type { DigitModelMetadata } from './digit-model.ts';
import { errorRate } from './errors.ts';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

test('the committed model is small, of stock layers, and has the test error that it says', async () => {
  const model = await readDigitModel();
  const { testError, testDigits } = model.getUserDefinedMetadata() as DigitModelMetadata;
  const digits = await loadDigits('t10k');
  expect(testDigits).toBe(digits.size);
  expect(testError).toBeLessThan(0.025);
  // Backends round differently: a digit or two between two classes may go either way.
  expect(Math.abs((await errorRate(model, digits)) - testError)).toBeLessThanOrEqual(2 / digits.size);
  const weights = await stat(new URL('../../public/models/digits/weights.bin', import.meta.url));
  expect(weights.size).toBeLessThan(150_000);
  expect(new Set(model.layers.map((layer) => layer.getClassName()))).toEqual(
    new Set(['Conv2D', 'BatchNormalization', 'Activation', 'MaxPooling2D', 'Flatten', 'Dense']),
  );
  expect(model.layers.flatMap((layer) => Object.keys(layer.getConfig()))).not.toContain('trainingStatistics');
  model.dispose();
});
