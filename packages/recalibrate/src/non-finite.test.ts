// NaN that arises deep in the model, or only where a layer is applied a second time: the message says where.
import '@tensorflow/tfjs-backend-cpu';
import { weightsOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { NonFiniteActivationError } from './errors.ts';
import { recalibrate } from './recalibrate.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Finite values in, Infinity out: the square of a value that float32 cannot square. */
const explosion = () =>
  tfl.layers.dense({
    units: 3,
    useBias: false,
    kernelInitializer: tfl.initializers.constant({ value: 3e38 }),
  });

function deepModel() {
  return tfl.sequential({
    layers: [
      tfl.layers.batchNormalization({ name: 'shallow', inputShape: [3] }),
      explosion(),
      explosion(),
      tfl.layers.batchNormalization({ name: 'deep' }),
    ],
  });
}

function twiceModel() {
  const input = tfl.input({ shape: [3] });
  const shared = tfl.layers.batchNormalization({ name: 'shared' });
  const first = shared.apply(input) as tfl.SymbolicTensor;
  const exploded = explosion().apply(explosion().apply(first)) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: shared.apply(exploded) as tfl.SymbolicTensor });
}

test.each([
  ['batch', deepModel, /Layer 'deep', batch 0/],
  ['layerwise', deepModel, /Layer 'deep', batch 0/],
  ['batch', twiceModel, /Layer 'shared' \(application 1\), batch 0/],
  ['layerwise', twiceModel, /Layer 'shared' \(application 1\), batch 0/],
] as const)("mode '%s', %o: the error says where", async (mode, make, message) => {
  const model = make();
  const data = [tf.tensor2d([1, 2, 3, 4, 5, 7, 8, 1, 0, 2, 2, 1], [4, 3])];
  const before = weightsOf(model);
  const { numTensors } = tf.memory();
  const error = await recalibrate(model, data, { mode }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NonFiniteActivationError);
  expect((error as Error).message).toMatch(message);
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(weightsOf(model)).toEqual(before);
  tf.dispose(data);
  model.dispose();
});
