import { expectClose, expectNoLeaks, referenceNormalize, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { normalize } from './normalize.ts';
import { tidied } from './tidied.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SHAPE = [6, 4, 3];
const LAYOUT = { outer: 6, channels: 4, inner: 3, groups: 2 };
const OPTIONS = { axis: 1, groups: 2, epsilon: 1e-3 };

const random = seededRandom(5);
const mean = random.normals(8);
const variance = random.normals(8).map((v) => v * v + 0.1);
const [x, dy] = [random.normals(72, 1, 2), random.normals(72)];
const [gamma, beta] = [random.normals(4, 1), random.normals(4)];

/** The output, and the gradients of sum(dy * output) by name of variable, with or without gamma and beta. */
function run(withAffine: boolean) {
  return tidied(() => {
    const moments = { mean: tf.tensor2d(mean, [2, 4]), variance: tf.tensor2d(variance, [2, 4]) };
    const upstream = tf.tensor(dy, SHAPE);
    const variables = [tf.tensor(x, SHAPE), tf.tensor1d(gamma), tf.tensor1d(beta)].map((value, i) =>
      tf.variable(value, true, ['x', 'gamma', 'beta'][i]),
    );
    try {
      const affine = withAffine ? { gamma: variables[1]!, beta: variables[2]! } : {};
      let y = new Float32Array();
      const { grads } = tf.variableGrads(() => {
        const output = normalize(variables[0]!, moments, { ...OPTIONS, ...affine, fixedAffine: true });
        y = output.dataSync<'float32'>().slice();
        return tf.sum(tf.mul(output, upstream)) as tf.Scalar;
      }, variables);
      return { y, dx: grads.x!.dataSync<'float32'>().slice(), names: Object.keys(grads) };
    } finally {
      tf.dispose(variables);
    }
  });
}

test.each([true, false])('fixedAffine: a gradient for x alone (with gamma and beta: %s)', (withAffine) => {
  const { y, dx, names } = run(withAffine);
  const options = { epsilon: OPTIONS.epsilon, ...(withAffine ? { gamma, beta } : {}) };
  expectClose(y, referenceNormalize(x, LAYOUT, { mean, variance }, options), 1e-5, 'y');
  const slope = { mean: new Float64Array(8), variance };
  const withoutBeta = { epsilon: OPTIONS.epsilon, ...(withAffine ? { gamma } : {}) };
  expectClose(dx, referenceNormalize(dy, LAYOUT, slope, withoutBeta), 1e-5, 'dx');
  // Not zeros: an optimizer with momentum moves a weight whose gradient is zero.
  expect(names).toEqual(['x']);
});

test('fixedAffine leaks nothing', async () => {
  await expectNoLeaks(tf, () => void run(true));
});
