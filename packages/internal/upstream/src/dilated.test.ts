// What else there is to dilated convolutions than their values: how they get a gradient.
import '@rebatch/kernels-cpu';
import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-layers';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { convolution, type Geometry } from './ops/convolution.ts';
import { distinct, type Values } from './values.ts';

const GEOMETRY: Geometry = { size: [6, 5], window: [3, 2], strides: [1, 1], pad: 'same', dilations: [2, 2] };
const x = distinct([2, 6, 5, 2], -1, 1, 1);
const filter = distinct([3, 2, 2, 3], -1, 1, 2);

const tensor4d = ({ data, shape }: Values) =>
  tf.tensor4d(Array.from(data), shape as [number, number, number, number]);
const dilated = (x: tf.Tensor, filter: tf.Tensor) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same', 'NHWC', 2);
const fused = (x: tf.Tensor, filter: tf.Tensor) =>
  tf.fused.conv2d({
    ...{ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D },
    ...{ strides: 1, pad: 'same', dilations: 2 },
  });

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  it('has a second derivative', () => {
    // s = sum of squares of the gradient for x of sum(y^3).
    const slope = (x: Values) => {
      const { y, gradients } = convolution(x, filter, GEOMETRY);
      return gradients(y.map((value) => 3 * value ** 2)).x!;
    };
    const s = (data: Float64Array) => slope({ ...x, data }).reduce((sum, value) => sum + value ** 2, 0);
    const expected = x.data.map((value, i) => {
      const at = (by: number) => s(x.data.with(i, value + by));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    tf.tidy(() => {
      const w = tensor4d(filter);
      const g = tf.grad((x: tf.Tensor) => tf.sum(tf.pow(dilated(x, w), 3)));
      const made = tf.grad((x: tf.Tensor) => tf.sum(tf.square(g(x))))(tensor4d(x));
      expectClose(made.dataSync(), expected, 1e-4);
    });
  });

  it('has a gradient whatever is registered after ours, as tfjs-layers registers all of upstream', () => {
    const upstream: tf.GradConfig = {
      kernelName: 'Conv2D',
      inputsToSave: ['x', 'filter'],
      gradFunc: () => {
        throw new Error('refused');
      },
    };
    const before = tf.getGradient('Conv2D');
    tf.registerGradient(upstream);
    tf.tidy(() => {
      const [a, b] = [tensor4d(x), tensor4d(filter)];
      const dy = distinct([2, 6, 5, 3], -1, 1, 3);
      const made = tf.grad((a: tf.Tensor) => dilated(a, b))(a, tensor4d(dy));
      expectClose(made.dataSync(), convolution(x, filter, GEOMETRY).gradients(dy.data).x!, 1e-5);
      // What is not dilated is none of our business.
      expect(() => tf.grad((a: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b, 1, 'same'))(a)).toThrow(
        'refused',
      );
    });
    tf.registerGradient(before);
  });

  it('leaks nothing', async () => {
    const [a, b] = [tensor4d(x), tensor4d(filter)];
    for (const op of [dilated, fused]) {
      await expectNoLeaks(tf, () => tf.dispose(tf.grads(op)([a, b])));
    }
    tf.dispose([a, b]);
  });

  it('leaves the gradient of an op that is made of one alone', () => {
    tf.tidy(() => {
      const w = tensor4d(filter);
      const op = tf.customGrad((x) => ({
        value: fused(x as tf.Tensor, w),
        gradFunc: () => tf.fill([2, 6, 5, 2], 42),
      }));
      expect(
        new Set(
          tf
            .grad((x: tf.Tensor) => op(x))(tensor4d(x))
            .dataSync(),
        ),
      ).toEqual(new Set([42]));
    });
  });

  it('takes one image without a batch axis in tf.fused.conv2d', () => {
    tf.tidy(() => {
      const image = { shape: [1, 6, 5, 2], data: x.data.slice(0, 60) };
      const w = tensor4d(filter);
      const one = tf.reshape(tensor4d(image), [6, 5, 2]);
      const run = (x: tf.Tensor) =>
        tf.fused.conv2d({ x: x as tf.Tensor3D, filter: w, strides: 1, pad: 'same', dilations: 2 });
      const made = tf.grad(run)(one);
      const dy = new Float64Array(90).fill(1);
      expectClose(made.dataSync(), convolution(image, filter, GEOMETRY).gradients(dy).x!, 1e-5);
    });
  });
});

it('is refused as before for NCHW, which our gradients do not know', async () => {
  await tf.setBackend('cpu');
  tf.tidy(() => {
    const images = tf.ones([1, 2, 5, 5]) as tf.Tensor4D;
    const w = tf.ones([2, 2, 2, 1]) as tf.Tensor4D;
    const run = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w, 1, 'valid', 'NCHW', 2);
    expect(() => tf.grad(run)(images)).toThrow(/not yet supported in gradients/);
  });
});
