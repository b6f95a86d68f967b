import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import {
  batchesOf,
  channelsOfRgba,
  hasColor,
  type ImageSet,
  inputsOf,
  rgbaOf,
  shuffled,
} from './image-set.ts';

beforeAll(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
});

const RGBA = [255, 0, 0, 255, 10, 20, 30, 128];

test('a canvas as gray, as RGB, and as it is', () => {
  expect([...channelsOfRgba(RGBA, 1)]).toEqual([76, 18]);
  expect([...channelsOfRgba(RGBA, 3)]).toEqual([255, 0, 0, 10, 20, 30]);
  expect([...channelsOfRgba(RGBA, 4)]).toEqual(RGBA);
});

const set: ImageSet = {
  count: 3,
  size: [1, 2, 1],
  pixels: new Uint8Array([0, 255, 51, 102, 153, 204]),
  classes: new Int32Array([4, 5, 6]),
  paths: ['a', 'b', 'c'],
};

test('gray is where all three are the same, whatever the opacity', () => {
  expect(hasColor(RGBA)).toBe(true);
  expect(hasColor([7, 7, 7, 255, 9, 9, 9, 0])).toBe(false);
  expect(hasColor([7, 7, 7, 255, 9, 9, 8, 255])).toBe(true);
});

test('and back for a preview', () => {
  expect([...rgbaOf(set, 1)]).toEqual([51, 51, 51, 255, 102, 102, 102, 255]);
});

test.each([
  ['0..1', [0.6, 0.8, 0, 1]],
  ['-1..1', [0.2, 0.6, -1, 1]],
  ['0..255', [153, 204, 0, 255]],
] as const)('inputs from %s', (scaling, expected) => {
  const inputs = inputsOf(set, [2, 0], scaling);
  expect(inputs.shape).toEqual([2, 1, 2, 1]);
  [...inputs.dataSync()].forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
  inputs.dispose();
});

test('batches can be gone through twice, with labels or without, and nothing leaks', () => {
  const before = tf.memory().numTensors;
  const batches = batchesOf(set, [2, 1, 0], { batchSize: 2, scaling: '0..255', labels: true });
  for (let pass = 0; pass < 2; pass++) {
    const seen = [...batches].map((batch) => {
      const { xs, ys } = batch as { xs: tf.Tensor; ys: tf.Tensor };
      const read = [[...xs.dataSync()], [...ys.dataSync()]];
      tf.dispose([xs, ys]);
      return read;
    });
    expect(seen).toEqual([
      [
        [153, 204, 51, 102],
        [6, 5],
      ],
      [[0, 255], [4]],
    ]);
  }
  const [plain] = batchesOf(set, [0], { batchSize: 2, scaling: '0..1', labels: false });
  expect(plain).toBeInstanceOf(tf.Tensor);
  tf.dispose(plain as tf.Tensor);
  expect(tf.memory().numTensors).toBe(before);
});

test('an order has every index once, the same for a seed', () => {
  const order = shuffled(100);
  expect(order).toEqual(shuffled(100));
  expect(order).not.toEqual(shuffled(100, 2));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});
