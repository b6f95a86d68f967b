import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { firstDigits, loadDigits } from '@rebatch/digits';
import { batchNormLayers } from '@rebatch/layers';
import { beforeAll, expect, test } from 'vitest';
import { buildNetwork } from './network.ts';
import { cosineDecay, Training } from './training.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = { seed: 1, batch: 4, learningRate: 0.1 };
const network = () =>
  buildNetwork({ seed: 1, momentum: 0, blocks: [2, 'pool', 3, 'pool'], normalizationBatchSize: 2 });

test('the same seed trains the same network, and an interruption ends it between steps', async () => {
  const digits = firstDigits(await loadDigits('t10k'), 16);
  const abort = new AbortController();
  const run = async () => {
    const model = network();
    const training = new Training(model, digits, options);
    const steps: string[] = [];
    const context = { signal: abort.signal, advance: (what: string) => void steps.push(what) };
    for (let step = 0; step < 3; step++) await training.step(context, `step ${step}`);
    expect(steps).toEqual(['step 0', 'step 1', 'step 2']);
    return { model, training, context, weights: model.getWeights().map((w) => [...w.dataSync()]) };
  };
  const [first, second] = [await run(), await run()];
  expect(first.weights).toEqual(second.weights);
  abort.abort(new Error('stop'));
  await expect(first.training.step(first.context, 'late')).rejects.toThrow('stop');
  for (const { model, training } of [first, second]) {
    model.dispose();
    training.dispose();
  }
});

test('a network has the BN layers of its blocks, with their normalization batch', () => {
  const model = network();
  expect(batchNormLayers(model).map((layer) => layer.getConfig().normalizationBatchSize)).toEqual([2, 2]);
  expect(model.outputs[0]!.shape).toEqual([null, 10]);
  model.dispose();
});

test('the learning rate falls by half a cosine', () => {
  expect([0, 50, 100].map((step) => cosineDecay(0.5, step, 100))).toEqual([0.5, expect.closeTo(0.25, 12), 0]);
});
