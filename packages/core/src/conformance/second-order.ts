// The part of the suite that is about gradients of gradients, as a penalty on gradients needs them. Not published.
import {
  expectClose,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { batchNormalize } from '../batch-normalize.ts';
import { normalize } from '../normalize.ts';

const LAYOUT = { outer: 6, channels: 3, inner: 1, groups: 1 };
const SHAPE = [LAYOUT.outer, LAYOUT.channels];
const SIZE = LAYOUT.outer * LAYOUT.channels;

/** The gradient of sum(weights * gradient(x)), by differences. */
function differentiated(
  gradient: (x: Float64Array) => ArrayLike<number>,
  x: Float32Array,
  weights: Float32Array,
): Float64Array {
  const step = 1e-5;
  const total = (at: number, by: number) => {
    const dx = gradient(Float64Array.from(x, (value, i) => (i === at ? value + by : value)));
    return weights.reduce((sum, weight, i) => sum + weight * dx[i]!, 0);
  };
  return Float64Array.from(x, (_, i) => (total(i, step) - total(i, -step)) / (2 * step));
}

/** Declares the tests for the backend that is current when they run. */
export function describeSecondOrder(): void {
  const random = seededRandom(77);
  const [x, dy, weights] = [random.normals(SIZE, 1, 2), random.normals(SIZE), random.normals(SIZE)];
  const affine = { gamma: random.normals(3, 1, 0.5), beta: random.normals(3) };
  const given = { mean: [0.5, 1, -1], variance: [1, 2, 0.5] };

  /** The gradient, for x, of sum(weights * gradient of sum(cube(op(x)) * dy)): not linear, whatever the op is. */
  async function secondOf(op: (x: tf.Tensor) => tf.Tensor): Promise<Float32Array> {
    const second = tf.tidy(() => {
      const inner = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.pow(op(x), 3), tf.tensor(dy, SHAPE))));
      return tf.grad((x: tf.Tensor) => tf.sum(tf.mul(inner(x), tf.tensor(weights, SHAPE))))(
        tf.tensor(x, SHAPE),
      );
    });
    const values = await second.data<'float32'>();
    second.dispose();
    return values;
  }

  test.each([true, false])('a gradient can be differentiated again, gamma and beta: %s', async (some) => {
    const before = tf.memory().numTensors;
    const epsilon = 1e-3;
    const vectors = some ? affine : {};
    const options = some ? { gamma: tf.tensor1d(affine.gamma), beta: tf.tensor1d(affine.beta) } : {};

    const byBatch = await secondOf((x) => batchNormalize(x, options).y);
    const gradientByBatch = (x: Float64Array) => {
      const y = referenceBatchNorm(x, LAYOUT, { ...vectors, epsilon });
      const upstream = y.map((value, i) => 3 * value ** 2 * dy[i]!);
      return referenceBatchNormGradients(x, upstream, LAYOUT, { ...vectors, epsilon }).dx;
    };
    expectClose(byBatch, differentiated(gradientByBatch, x, weights), 2e-4, 'by the batch');

    const constants = { mean: tf.tensor1d(given.mean), variance: tf.tensor1d(given.variance) };
    const byConstants = await secondOf((x) => normalize(x, constants, options));
    tf.dispose([constants, options]);
    const gradientByConstants = (x: Float64Array) => {
      const y = referenceNormalize(x, LAYOUT, given, { ...vectors, epsilon });
      return y.map((value, i) => {
        const c = i % 3;
        const slope = (some ? affine.gamma[c]! : 1) / Math.sqrt(given.variance[c]! + epsilon);
        return 3 * value ** 2 * dy[i]! * slope;
      });
    };
    expectClose(byConstants, differentiated(gradientByConstants, x, weights), 2e-4, 'by constants');
    expect(tf.memory().numTensors).toBe(before);
  });
}
