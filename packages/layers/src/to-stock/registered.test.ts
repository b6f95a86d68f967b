// Where loading builds our layer: a file of its own, because it changes what tf.layers does.
import '../register.ts';
import { outputsOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { BatchNormalization, batchNormalization, batchNormLayers, toStock } from '../index.ts';
import { build, MODEL_NAMES } from './models.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each(MODEL_NAMES)('%s: stock layers are stock, though their class name builds ours', (name) => {
  const { model, xs } = build(name, (config) => batchNormalization(config));
  const shipped = toStock(model);
  expect(batchNormLayers(shipped).map((layer) => layer instanceof BatchNormalization)).toEqual(
    batchNormLayers(model).map(() => false),
  );
  expect(outputsOf(toStock(shipped), xs)).toEqual(outputsOf(shipped, xs));
});
