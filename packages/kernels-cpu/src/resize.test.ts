// Values and any shape: packages/internal/upstream. Here what was reported, what ends, and what is refused.
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { KernelInputError } from './index.ts';
import { runKernel } from './upstream.test.support.ts';

beforeAll(() => tf.setBackend('cpu'));

it('gives each sample its own gradient', () => {
  tf.tidy(() => {
    const weights = tf.reshape(tf.range(0, 32), [2, 4, 4, 1]);
    const loss = (x: tf.Tensor) =>
      tf.sum(tf.mul(tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [4, 4]), weights));
    const gradient = tf.grad(loss)(tf.zeros([2, 2, 2, 1]));
    expect([...gradient.dataSync()]).toEqual([10, 18, 42, 50, 74, 82, 106, 114]);
  });
});

it('ends where one pixel is resized with aligned corners', () => {
  tf.tidy(() => {
    const resize = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [3, 2], true);
    expect([
      ...tf
        .grad(resize)(tf.zeros([2, 1, 1, 1]))
        .dataSync(),
    ]).toEqual([6, 6]);
  });
});

it('differentiates images that are not square', () => {
  tf.tidy(() => {
    const resize = (x: tf.Tensor) => tf.image.resizeBilinear(x as tf.Tensor4D, [2, 4]);
    expect([
      ...tf
        .grad(resize)(tf.zeros([1, 1, 2, 1]))
        .dataSync(),
    ]).toEqual([3, 5]);
  });
});

it.each(['ResizeNearestNeighborGrad', 'ResizeBilinearGrad'])(
  '%s refuses tensors that do not fit, and leaks nothing',
  async (name) => {
    const run = (dy: number[], images: number[]) => () =>
      tf.tidy(
        () => runKernel(name, { dy: tf.zeros(dy), images: tf.zeros(images) }, { alignCorners: false }).shape,
      );
    expect(run([1, 4, 4, 1], [4, 4])).toThrow(KernelInputError);
    expect(run([1, 4, 4, 3], [1, 2, 2, 2])).toThrow(/expected dy to hold 32 values/);
    expect(run([1, 4, 4, 2], [1, 2, 2, 2])()).toEqual([1, 2, 2, 2]);
    await expectNoLeaks(tf, run([1, 4, 4, 2], [1, 2, 2, 2]));
  },
);
