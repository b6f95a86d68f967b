// A stateful RNN is refused before anything runs: its state stays.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { StatefulModelError } from './errors.ts';
import { recalibrate } from './recalibrate.ts';

test.each(['batch', 'layerwise'] as const)("mode '%s' leaves the state of an RNN alone", async (mode) => {
  await tf.setBackend('cpu');
  const layer = tfl.layers.simpleRNN({
    units: 3,
    kernelInitializer: 'zeros',
    recurrentInitializer: 'ones',
    biasInitializer: 'ones',
    stateful: true,
    batchInputShape: [2, 4, 3],
    name: 'memory',
  });
  const model = tfl.sequential({ layers: [layer, tfl.layers.batchNormalization({})] });
  const x = tf.ones([2, 4, 3]);
  (model.predict(x) as tf.Tensor).dispose();
  const { states } = layer as unknown as { states: tf.Tensor[] };
  const before = states[0]!.dataSync().slice();
  const { numTensors } = tf.memory();
  const error = await recalibrate(model, [x], { mode }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StatefulModelError);
  expect(String(error)).toMatch(/Layer 'memory'.*stateful: false/);
  const after = (layer as unknown as { states: tf.Tensor[] }).states[0]!;
  expect(after.dataSync()).toEqual(before);
  expect(tf.memory().numTensors).toBe(numTensors);
  x.dispose();
  model.dispose();
});
