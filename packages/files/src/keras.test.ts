// Models that Keras 3 saved itself must predict here what they predicted there.

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { openModel, readH5 } from './index.ts';
import { fixture, predictions } from './testing/fixtures.ts';
import { predict } from './testing/run.ts';

beforeAll(() => tf.setBackend('cpu'));

const MODELS = ['cnn', 'sequential', 'nested', 'recurrent', 'layers', 'mixed', 'half', 'wrapped', 'stacked'];

describe.each(MODELS)('the model %s', (name) => {
  it.each(['keras', 'keras3.h5'])('as .%s predicts what Keras does', async (end) => {
    const model = await openModel([fixture('keras3', `${name}.${end}`)]);
    expect(model.format).toBe('layers-model');
    expect(model.source.kerasVersion).toBe('3.16.0');
    const outputs = await predict(model);
    const wanted = predictions()[name]!;
    expect(outputs.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
    // float32 in another order of summation; half and mixed were computed in float16 by Keras.
    const tolerance = name === 'half' || name === 'mixed' ? 5e-3 : 2e-5;
    for (const [at, { values }] of outputs.entries()) {
      const scale = Math.max(...wanted[at]!.values.map(Math.abs));
      const errors = values.map((value, i) => Math.abs(value - wanted[at]!.values[i]!) / scale);
      expect(Math.max(...errors)).toBeLessThan(tolerance);
    }
  });
});

it('a sum of two tensors, which Keras keeps as an operation, is the layer that adds', async () => {
  const config = JSON.parse(new TextDecoder().decode(fixture('keras3', 'cnn.json').bytes));
  const add = config.config.layers.find(({ name }: { name: string }) => name === 'add');
  const [call] = add.inbound_nodes;
  // As `x + kept` is saved: the class of that name is not a layer, and is given its tensors one by one.
  Object.assign(add, { module: 'keras.src.ops.numpy', registered_name: 'Add', config: { name: 'add' } });
  call.args = call.args[0];
  const model = await readH5([fixture('keras3', 'cnn.weights.h5')], { config });
  expect(await predict(model)).toEqual(await predict(await openModel([fixture('keras3', 'cnn.keras')])));
});
