import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { imageTensor, labelTensor } from '@rebatch/images';
import { beforeAll, expect, test } from 'vitest';
import { firstDigits, loadDigits, parseDigits } from './mnist.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('the real MNIST is there, whole', async () => {
  const [train, test] = await Promise.all([loadDigits('train'), loadDigits('t10k')]);
  expect([train.size, test.size]).toEqual([60_000, 10_000]);
  // The counts per digit that the data set's documentation gives for the training set.
  const counts = new Array(10).fill(0);
  for (const label of train.labels) counts[label]++;
  expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
});

test('tensors hold the chosen digits', async () => {
  const digits = await loadDigits('t10k');
  const [images, labels] = [imageTensor(digits, [3, 0]), labelTensor(digits, [3, 0])];
  expect(images.shape).toEqual([2, 28, 28, 1]);
  const values = await images.data();
  expect(Math.max(...values)).toBe(1);
  expect(values[784 + 300]).toBeCloseTo(digits.images[300]! / 255, 6);
  expect([...(await labels.data())].map((v, i) => (v ? i % 10 : -1)).filter((d) => d >= 0)).toEqual([
    digits.labels[3],
    digits.labels[0],
  ]);
  tf.dispose([images, labels]);
});

test('broken files are refused', () => {
  const header = (magic: number, ...sizes: number[]) => {
    const file = Buffer.alloc(4 + 4 * sizes.length);
    [magic, ...sizes].forEach((v, i) => {
      file.writeUInt32BE(v, 4 * i);
    });
    return file;
  };
  const labels = Buffer.concat([header(0x801, 1), Buffer.from([7])]);
  const images = Buffer.concat([header(0x803, 1, 28, 28), Buffer.alloc(784)]);
  expect(parseDigits(images, labels).size).toBe(1);
  expect(() => parseDigits(labels, labels)).toThrow(/not an idx file of images/);
  expect(() => parseDigits(images.subarray(0, 100), labels)).toThrow(/cut short/);
  expect(() => parseDigits(images, header(0x801, 2))).toThrow(/1 images but 2 labels/);
  expect(() => firstDigits(parseDigits(images, labels), 2)).toThrow(/2 of 1/);
});
