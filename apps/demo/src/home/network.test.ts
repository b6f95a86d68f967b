import { readFile } from 'node:fs/promises';
import '@rebatch/kernels-wasm';
import { imageTensor, type LabeledImages } from '@rebatch/images';
import { batchNormLayers } from '@rebatch/layers';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { readDigitModel } from '../network/digit-model.test.support.ts';
import { loadDigits } from '../testing/digits-from-disk.ts';
import { batchOf, draw, lookAt } from './digits.ts';
import { forward, networkFrom, type PlainNetwork } from './network.ts';

const FOLDER = new URL('../../public/models/digits/', import.meta.url);
let network: PlainNetwork;
let digits: LabeledImages;

beforeAll(async () => {
  await tf.setBackend('wasm');
  const { weightsManifest } = JSON.parse(await readFile(new URL('model.json', FOLDER), 'utf8'));
  const bytes = await readFile(new URL('weights.bin', FOLDER));
  network = networkFrom(
    weightsManifest[0].weights,
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  );
  digits = await loadDigits('few');
});

const pixels = (n: number) => digits.images.subarray(n * 784, (n + 1) * 784);

/** As TensorFlow.js has it: what goes into each batch normalization, and the logits. */
async function expected(indices: readonly number[]) {
  const model = await readDigitModel();
  const inputs = batchNormLayers(model).map(({ input }) => input as tfl.SymbolicTensor);
  const probe = tfl.model({ inputs: model.inputs, outputs: [...inputs, ...model.outputs] });
  const outputs = tf.tidy(() => {
    const all = probe.apply(imageTensor(digits, indices), { training: false }) as tf.Tensor[];
    return [...all.slice(0, -1).map((one) => one.dataSync()), tf.softmax(all.at(-1) as tf.Tensor).dataSync()];
  });
  model.dispose();
  return outputs as Float32Array[];
}

test('is the committed model: the same activations and probabilities as by TensorFlow.js', async () => {
  for (const n of [0, 17, 63]) {
    const found = forward(network, pixels(n));
    const reference = await expected([n]);
    [...found.normalized, found.probabilities].forEach((values, at) => {
      const wanted = reference[at] as Float32Array;
      expect(values.length).toBe(wanted.length);
      const worst = Math.max(...Array.from(values, (value, i) => Math.abs(value - (wanted[i] as number))));
      expect(worst).toBeLessThan(1e-4);
    });
  }
});

test('a batch: means against the stored ones, and the histogram of all of its values', async () => {
  const indices = [3, 5, 8, 13];
  const watched = { block: 1, channel: 4 };
  const look = batchOf(
    network,
    indices.map((n) => lookAt(network, pixels(n), watched)),
  );
  const reference = await expected(indices);
  network.blocks.forEach(({ channels, mean, variance }, at) => {
    const values = reference[at] as Float32Array;
    for (let c = 0; c < channels; c++) {
      let [sum, count] = [0, 0];
      for (let i = c; i < values.length; i += channels) {
        sum += values[i] as number;
        count++;
      }
      const shift = (sum / count - (mean[c] as number)) / Math.sqrt((variance[c] as number) + 1e-3);
      expect(look.shifts[at]?.[c]).toBeCloseTo(shift, 4);
    }
  });
  expect(look.histogram.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
  // Its mean, to within half a bin, is where the shift says.
  const center = look.histogram.reduce((sum, share, bin) => sum + share * ((bin + 0.5) / 6 - 4), 0);
  expect(Math.abs(center - (look.shifts[1]?.[4] as number))).toBeLessThan(1 / 6);
  expect(look.probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
});

test('a file that lacks a weight is refused by name', () => {
  expect(() => networkFrom([], new ArrayBuffer(0))).toThrow("no weight 'conv2d_Conv2D1/kernel'");
});

test('a batch is drawn without repetition', () => {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let i = 0; i < 50; i++) {
    const drawn = draw(10, 4, random);
    expect(new Set(drawn).size).toBe(4);
    expect(drawn.every((n) => n >= 0 && n < 10)).toBe(true);
  }
  expect(draw(3, 8, random).sort()).toEqual([0, 1, 2]);
});
