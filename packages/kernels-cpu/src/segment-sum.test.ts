import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { KernelInputError } from './index.ts';
import { runKernel, upstreamValues } from './upstream.test.support.ts';

beforeAll(() => tf.setBackend('cpu'));

it('sums the slices of each segment, and passes over ids that are none', () => {
  tf.tidy(() => {
    const x = tf.tensor([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    const ids = tf.tensor1d([2, 0, 2, -1], 'int32');
    const sums = tf.unsortedSegmentSum(x, ids, 4);
    expect(sums.arraySync()).toEqual([
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ]);
    expect([...tf.unsortedSegmentSum(x, tf.tensor1d([9, 9, 9, 9], 'int32'), 1).dataSync()]).toEqual([0, 0]);
  });
});

it('keeps its digits over many slices', () => {
  tf.tidy(() => {
    const x = seededRandom(3).normals(100_000, 1000, 1);
    const [sum] = tf.unsortedSegmentSum(tf.tensor1d(x), tf.zeros([x.length], 'int32'), 1).dataSync();
    expect(sum).toBe(Math.fround(x.reduce((total, value) => total + value, 0)));
  });
});

it('does not let a value of one segment reach another: upstream multiplies NaN by 0', () => {
  tf.tidy(() => {
    const sums = tf.unsortedSegmentSum([Number.NaN, 1], tf.tensor1d([0, 1], 'int32'), 2);
    expect([...sums.dataSync()]).toEqual([Number.NaN, 1]);
  });
});

it('leaves whole numbers to upstream, refuses what does not fit, and leaks nothing', async () => {
  await expectNoLeaks(tf, () => {
    tf.tidy(() => {
      const inputs = { x: tf.tensor1d([1, 2, 3], 'int32'), segmentIds: tf.tensor1d([0, 1, 0], 'int32') };
      const run = () => runKernel('UnsortedSegmentSum', inputs, { numSegments: 2 });
      expect([...run().dataSync()]).toEqual([
        ...upstreamValues('UnsortedSegmentSum', inputs, { numSegments: 2 }),
      ]);
    });
  });
  tf.tidy(() => {
    const inputs = { x: tf.ones([3, 2]), segmentIds: tf.tensor1d([0, 1], 'int32') };
    expect(() => runKernel('UnsortedSegmentSum', inputs, { numSegments: 2 })).toThrow(KernelInputError);
  });
});
