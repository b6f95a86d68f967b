import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchNormLayers } from '@rebatch/layers';
import seedrandom from 'seedrandom';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CLEAN, type CleanSettings, cleanNetwork } from './clean-network.ts';
import { stepsOf } from './photograph-training.ts';
import { buildResidualNetwork } from './residual-network.ts';

let folder: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rebatch-clean-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const random = seedrandom('photographs');
const SHAPE = [32, 32, 3] as const;
function noise(size: number) {
  const images = Uint8Array.from({ length: size * 3072 }, () => 256 * random());
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 10);
  return { size, shape: SHAPE, images, labels, classes: 10 };
}

const photographs = { training: noise(8), validation: noise(4) };
const settings: CleanSettings = {
  ...CLEAN,
  channels: [2, 3],
  epochs: 2,
  batch: 2,
  population: { mode: 'layerwise', samples: 8 },
};

/** Trains until so many steps are done; the weights of the network, or undefined if it was interrupted. */
async function train(seed: number, stopAfter = Number.POSITIVE_INFINITY) {
  const abort = new AbortController();
  let steps = 0;
  const advance = () => {
    if (++steps === stopAfter) abort.abort(new Error('stop'));
  };
  const { model, history } = await cleanNetwork(
    seed,
    settings,
    photographs,
    { signal: abort.signal, advance },
    folder,
  );
  const weights = model.getWeights().map((weight) => [...weight.dataSync()]);
  model.dispose();
  return { weights, history, steps };
}

test('a training that was interrupted ends as one that was not, and what is finished is read again', async () => {
  const tensors = tf.memory().numTensors;
  const whole = await train(1);
  expect(whole.steps).toBe(stepsOf(settings, 8));
  expect(whole.history.map(({ epoch }) => epoch)).toEqual([1, 2]);
  await rm(folder, { recursive: true });
  // Saved at the end of the first epoch, after four of eight steps.
  await expect(train(1, 5)).rejects.toThrow('stop');
  const rest = await train(1);
  expect(rest.steps).toBe(4);
  expect(rest.weights).toEqual(whole.weights);
  expect(rest.history).toEqual(whole.history);
  const again = await train(1);
  expect(again).toEqual({ ...whole, steps: 0 });
  expect(await readdir(folder)).toHaveLength(1);
  expect(tf.memory().numTensors).toBe(tensors);
});

test('another seed, or other settings, are another network', async () => {
  const [first, second] = [await train(1), await train(2)];
  expect(second.weights).not.toEqual(first.weights);
  expect(await readdir(folder)).toHaveLength(2);
});

test('the network is a ResNet-8: seven convolutions in depth, two in shortcuts, 79,000 weights', () => {
  const model = buildResidualNetwork({ seed: 1 });
  expect(model.outputs[0]!.shape).toEqual([null, 10]);
  expect(batchNormLayers(model)).toHaveLength(9);
  // Convolutions, gamma, beta, mean and variance, the dense layer.
  const kernels = 9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64) + 16 * 32 + 32 * 64;
  expect(model.countParams()).toBe(kernels + 4 * (3 * 16 + 3 * 32 + 3 * 64) + 64 * 10 + 10);
  model.dispose();
  const deep = buildResidualNetwork({ seed: 1, blocks: 2, channels: [2, 3, 4] });
  expect(batchNormLayers(deep)).toHaveLength(15);
  deep.dispose();
});
