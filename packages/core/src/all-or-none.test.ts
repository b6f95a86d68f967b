import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { allOrNone } from './all-or-none.ts';

test('all tensors that were made are there, or none', async () => {
  await tf.setBackend('cpu');
  const before = tf.memory().numTensors;
  const pair = allOrNone((add) => [add(tf.scalar(1)), add(tf.scalar(2))]);
  expect(pair.map((tensor) => tensor.dataSync()[0])).toEqual([1, 2]);
  tf.dispose(pair);
  expect(() =>
    allOrNone((add) => {
      add(tf.scalar(1));
      throw new Error('no room');
    }),
  ).toThrow('no room');
  expect(tf.memory().numTensors).toBe(before);
});
