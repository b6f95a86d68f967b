import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// Registers the gradients.
import '@tensorflow/tfjs-layers';
import { expectClose } from '@rebatch/testing';
import { beforeAll, expect, test } from 'vitest';
import { Nesterov } from './nesterov.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('what the loss does not depend on stays as it is', () => {
  const [used, constant] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(2))];
  const optimizer = new Nesterov([used, constant], { momentum: 0.9, weightDecay: 0.1 });
  optimizer.minimize(() => tf.mul(used, 3) as tf.Scalar, 0.1);
  expect(constant.dataSync()[0]).toBe(2);
  expect(used.dataSync()[0]).toBeCloseTo(1 - 0.1 * 1.9 * 3.1, 5);
  optimizer.dispose();
  tf.dispose([used, constant]);
});

test('steps are those of the formulas, in float64', () => {
  const [momentum, weightDecay] = [0.9, 0.01];
  const start = [1, -2, 0.5];
  const scale = [3, 0.5, -1];
  // The loss is sum(scale * w^2) / 2: its gradient is scale * w.
  let [weights, velocities] = [[...start], [0, 0, 0]];
  const rates = [0.1, 0.05, 0.2];
  for (const rate of rates) {
    const gradients = weights.map((w, i) => scale[i]! * w + weightDecay * w);
    velocities = velocities.map((v, i) => momentum * v + gradients[i]!);
    weights = weights.map((w, i) => w - rate * (gradients[i]! + momentum * velocities[i]!));
  }
  const before = tf.memory().numTensors;
  const variable = tf.tidy(() => tf.variable(tf.tensor1d(start)));
  const optimizer = new Nesterov([variable], { momentum, weightDecay });
  const loss = () => tf.tidy(() => tf.mul(tf.sum(tf.mul(tf.square(variable), scale)), 0.5) as tf.Scalar);
  for (const rate of rates) optimizer.minimize(loss, rate);
  expectClose([...variable.dataSync()], weights, 1e-5);
  expectClose([...optimizer.velocities[0]!.dataSync()], velocities, 1e-5);
  optimizer.dispose();
  variable.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
