// Values and any shape: packages/internal/upstream. Here what was wrong, in numbers, and what is refused.
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { KernelInputError } from '../index.ts';
import { runKernel } from '../upstream.test.support.ts';

beforeAll(() => tf.setBackend('cpu'));

it('shares dy among the pixels that a window sees', () => {
  tf.tidy(() => {
    // The windows see 4, 2, 2 and 1 of the 4 pixels.
    const images = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 2, 1, 'same');
    expect([
      ...tf
        .grad(images)(tf.zeros([1, 2, 2, 1]))
        .dataSync(),
    ]).toEqual([0.25, 0.75, 0.75, 2.25]);
    const volumes = (x: tf.Tensor) => tf.avgPool3d(x as tf.Tensor5D, [1, 2, 2], 1, 'same');
    expect([
      ...tf
        .grad(volumes)(tf.zeros([1, 1, 2, 2, 1]))
        .dataSync(),
    ]).toEqual([0.25, 0.75, 0.75, 2.25]);
  });
});

it('finds the maximum of a volume whose windows are no cubes', () => {
  tf.tidy(() => {
    const pool = (x: tf.Tensor) => tf.maxPool3d(x as tf.Tensor5D, [1, 2, 1], 1, 'valid');
    const x = tf.tensor([1, 5, 2, 4], [1, 1, 2, 2, 1]);
    expect([...tf.grad(pool)(x).dataSync()]).toEqual([0, 1, 1, 0]);
  });
});

it.each(['AvgPoolGrad', 'AvgPool3DGrad', 'MaxPool3DGrad'])(
  '%s refuses tensors that do not fit, and leaks nothing',
  async (name) => {
    const spatial = name.includes('3D') ? 3 : 2;
    const shape = (length: number) => [1, ...Array<number>(spatial).fill(length), 2];
    const run = (dy: number[], input: number[]) => () =>
      tf.tidy(
        () =>
          runKernel(
            name,
            { dy: tf.zeros(dy), input: tf.zeros(input) },
            { filterSize: 2, strides: 2, pad: 'valid' },
          ).shape,
      );
    expect(run(shape(2), [4, 4])).toThrow(KernelInputError);
    expect(run(shape(3), shape(4))).toThrow(/expected dy to hold/);
    expect(run(shape(2), shape(4))()).toEqual(shape(4));
    await expectNoLeaks(tf, run(shape(2), shape(4)));
  },
);
