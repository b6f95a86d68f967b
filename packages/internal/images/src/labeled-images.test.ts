import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { imageTensor, type LabeledImages, labelTensor, ranges, subset } from './labeled-images.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Three images of 1 x 2 pixels in RGB. */
const images: LabeledImages = {
  size: 3,
  shape: [1, 2, 3],
  images: Uint8Array.from({ length: 18 }, (_, i) => 10 * i),
  labels: Uint8Array.from([2, 0, 1]),
  classes: 4,
};

test('tensors hold the chosen images and labels', () => {
  const [xs, ys] = [imageTensor(images, [2, 0]), labelTensor(images, [2, 0])];
  expect(xs.shape).toEqual([2, 1, 2, 3]);
  const expected = [120, 130, 140, 150, 160, 170, 0, 10, 20, 30, 40, 50];
  expect([...xs.dataSync()]).toEqual(expected.map((v) => Math.fround(v / 255)));
  expect(ys.arraySync()).toEqual([
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ]);
  tf.dispose([xs, ys]);
});

test('a subset is the images at its indices, copied', () => {
  const chosen = subset(images, [2, 0]);
  expect(chosen).toMatchObject({ size: 2, shape: [1, 2, 3], classes: 4 });
  expect([...chosen.labels]).toEqual([1, 2]);
  expect([...chosen.images]).toEqual([120, 130, 140, 150, 160, 170, 0, 10, 20, 30, 40, 50]);
  chosen.images[0] = 1;
  expect(images.images[12]).toBe(120);
});

test('ranges cover everything once', () => {
  expect([...ranges(5, 2)]).toEqual([[0, 1], [2, 3], [4]]);
});
