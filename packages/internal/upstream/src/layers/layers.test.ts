// Every layer of tf.layers trains on our kernels, with every loss and every optimizer, and on both backends alike.
import '@rebatch/kernels-cpu';
import '@rebatch/kernels-wasm';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { distinct } from '../values.ts';
import { LAYER_CASES, LAYERS_OF_NO_MODEL, NOT_LISTED } from './layer-cases.ts';
import { weightsAfterStep } from './train.ts';

const LOSSES = [
  ...['meanSquaredError', 'meanAbsoluteError', 'meanAbsolutePercentageError', 'meanSquaredLogarithmicError'],
  ...['squaredHinge', 'hinge', 'categoricalHinge', 'logcosh', 'categoricalCrossentropy'],
  ...['sparseCategoricalCrossentropy', 'binaryCrossentropy', 'kullbackLeiblerDivergence', 'poisson'],
  'cosineProximity',
];
// Not centered RMSProp: TensorFlow.js subtracts its epsilon, and so divides small gradients by NaN, on every backend.
const OPTIMIZERS: readonly (() => tf.Optimizer)[] = [
  () => tf.train.sgd(0.1),
  () => tf.train.momentum(0.1, 0.9),
  () => tf.train.momentum(0.1, 0.9, true),
  () => tf.train.adagrad(0.1),
  () => tf.train.adadelta(0.1),
  () => tf.train.rmsprop(0.01),
  () => tf.train.adam(0.01),
  () => tf.train.adamax(0.01),
];

it('lists every layer there is', () => {
  const listed = [...Object.keys(LAYER_CASES), ...LAYERS_OF_NO_MODEL, ...NOT_LISTED];
  expect(listed.sort()).toEqual(Object.keys(tfl.layers).sort());
});

describe.each(Object.entries(LAYER_CASES))('%s', (_, settings) => {
  const steps = settings.map((setting, i) => ({ setting, i }));

  it.each(steps)(
    'in setting $i trains as on the cpu backend, or is refused as there',
    async ({ setting }) => {
      const step = async (backend: string) => {
        await tf.setBackend(backend);
        return weightsAfterStep(setting, 'categoricalCrossentropy', tf.train.sgd(0.1));
      };
      if (setting.refused !== undefined) {
        await expect(step('wasm')).rejects.toThrow(setting.refused);
        await expect(step('cpu')).rejects.toThrow(setting.refused);
        return;
      }
      const [onWasm, onCpu] = [await step('wasm'), await step('cpu')];
      expect(onWasm.every(Number.isFinite)).toBe(true);
      if (setting.random) expect(onWasm.length).toBe(onCpu.length);
      else expectClose(onWasm, onCpu, 1e-4, 'weights');
    },
  );

  it.each(steps.filter(({ setting }) => setting.refused === undefined))(
    'in setting $i trains on wasm with every loss, and with every optimizer',
    async ({ setting, i }) => {
      await tf.setBackend('wasm');
      for (const [j, loss] of LOSSES.entries()) {
        const weights = await weightsAfterStep(setting, loss, OPTIMIZERS[(i + j) % OPTIMIZERS.length]!());
        expect(weights.every(Number.isFinite), loss).toBe(true);
      }
    },
  );
});

describe.each(LOSSES)('%s', (loss) => {
  it.each(OPTIMIZERS.map((make, i) => ({ make, i })))(
    'with optimizer $i steps as on cpu',
    async ({ make }) => {
      const [setting] = LAYER_CASES.dense!;
      const step = async (backend: string) => {
        await tf.setBackend(backend);
        return weightsAfterStep(setting!, loss, make());
      };
      expectClose(await step('wasm'), await step('cpu'), 1e-4, 'weights');
    },
  );
});

describe('layers that no model can be built on', () => {
  const x = distinct([2, 6, 5, 3], -1, 1);
  const layers: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
    resizing: (x) => tfl.layers.resizing({ height: 4, width: 7 }).apply(x) as tf.Tensor,
    'resizing, nearest': (x) =>
      tfl.layers.resizing({ height: 9, width: 3, interpolation: 'nearest' }).apply(x) as tf.Tensor,
    centerCrop: (x) => tfl.layers.centerCrop({ height: 4, width: 3 }).apply(x) as tf.Tensor,
    'centerCrop, larger': (x) => tfl.layers.centerCrop({ height: 8, width: 9 }).apply(x) as tf.Tensor,
  };

  it.each(Object.entries(layers))('%s computes the same as on the cpu backend', async (_, apply) => {
    const run = async (backend: string) => {
      await tf.setBackend(backend);
      return tf.tidy(() => apply(tf.tensor(Array.from(x.data), [...x.shape])).dataSync());
    };
    expectClose(await run('wasm'), await run('cpu'), 1e-5);
  });

  it('randomWidth keeps height and channels', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const images = tf.tensor(Array.from(x.data), [...x.shape]);
      const made = tfl.layers.randomWidth({ factor: 0.4 }).apply(images) as tf.Tensor;
      expect([made.shape[0], made.shape[1], made.shape[3]]).toEqual([2, 6, 3]);
      expect(made.dataSync().every(Number.isFinite)).toBe(true);
    });
  });
});
