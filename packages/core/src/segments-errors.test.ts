import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  batchNormalize,
  InvalidInputError,
  jointBatchNormalize,
  NormalizationBatchError,
  segmentBatchNormalize,
  segmentNormalize,
} from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const int32 = (ids: ArrayLike<number>) => tf.tensor1d(Array.from(ids), 'int32');

describe('segments and several tensors', () => {
  const x = () => tf.ones([4, 3]);
  const given = (shape: number[]) => ({ mean: tf.zeros(shape), variance: tf.ones(shape) });
  const cases: [string, () => unknown, RegExp][] = [
    [
      'ids out of range',
      () => segmentBatchNormalize(x(), int32([0, 7, -1, 7]), 2, { name: 'bn' }),
      /^segmentBatchNormalize \(layer 'bn'\): expected segment ids from 0 to 1, got 7, -1\. Pass the number of all/,
    ],
    [
      'many ids out of range',
      () => segmentNormalize(tf.ones([7, 3]), int32([9, 8, 7, 6, 5, 4, 3]), given([2, 3])),
      /^segmentNormalize: .*got 9, 8, 7, 6, 5, \.\.\./,
    ],
    [
      'no ids',
      () => segmentBatchNormalize(x(), undefined as never, 1),
      /segmentIds to be a tensor, got undef/,
    ],
    [
      'ids in a list',
      () => segmentBatchNormalize(x(), [0, 0, 0, 0] as never, 1),
      /segmentIds to be a tensor, got \[0, 0, 0, 0\]\. Make one of it with tf\.tensor/,
    ],
    [
      'a mask in a list',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1, { mask: [true] as never }),
      /expected the mask to be a tensor, got \[true\]/,
    ],
    [
      'a fallback that is null',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1, { fallback: null as never }),
      /expected the fallback's mean and variance as .*got null/,
    ],
    [
      'a text for pooled',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1, { pooled: 'no' as never }),
      /expected pooled to be true or false, got "no"/,
    ],
    [
      'no moments of segments',
      () => segmentNormalize(x(), int32([0, 0, 0, 0]), undefined as never),
      /^segmentNormalize: expected mean and variance .*got undefined/,
    ],
    [
      'moments of segments in lists',
      () => segmentNormalize(x(), int32([0, 0, 0, 0]), { mean: [[1, 1, 1]], variance: [[1, 1, 1]] } as never),
      /expected mean to be a tensor, got an array of 1 item/,
    ],
    [
      'no list of tensors',
      () => jointBatchNormalize(x() as never),
      /expected a list of tensors, got a tensor/,
    ],
    [
      'ids of another number',
      () => segmentBatchNormalize(x(), int32([0, 0]), 1),
      /shape \[4\], one id per sample, got int32 \[2\]\.$/,
    ],
    [
      'ids that are floats',
      () => segmentBatchNormalize(x(), tf.zeros([4]), 1),
      /got float32 \[4\]\. Convert.*tf\.cast/,
    ],
    [
      'ids of rank 2',
      () => segmentBatchNormalize(x(), tf.zeros([4, 1], 'int32'), 1),
      /\[4, 1\]\. Convert.*tf\.reshape/,
    ],
    [
      'no segments',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 0),
      /number of segments.*at least 1, got 0/,
    ],
    ['segments as a text', () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), '1' as never), /got "1"/],
    ['half a segment', () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1.5), /whole number.*got 1\.5/],
    [
      'channels along axis 0',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1, { axis: -2 }),
      /axis 0 of \[4, 3\] holds the channels.*Transpose/,
    ],
    [
      'a gamma for another number of segments',
      () => segmentBatchNormalize(x(), int32([0, 0, 1, 1]), 2, { gamma: tf.ones([3, 3]) }),
      /gamma of shape \[3\].*or \[2, 3\] for one of each, got \[3, 3\]/,
    ],
    [
      'a fallback of another shape',
      () => segmentBatchNormalize(x(), int32([0, 0, 1, 1]), 2, { fallback: given([3]) }),
      /the fallback's mean of shape \[2, 3\], got \[3\]/,
    ],
    [
      'moments of rank 1',
      () => segmentNormalize(x(), int32([0, 0, 0, 0]), given([3])),
      /mean of shape \[segments, channels\], got \[3\]/,
    ],
    [
      'moments of other channels',
      () => segmentNormalize(x(), int32([0, 0, 0, 0]), given([2, 4])),
      /mean of shape \[2, 3\], got \[2, 4\]/,
    ],
    [
      'a negative epsilon',
      () => segmentBatchNormalize(x(), int32([0, 0, 0, 0]), 1, { epsilon: -1 }),
      /epsilon.*-1/,
    ],
    [
      'ids that are disposed',
      () => {
        const ids = int32([0, 0, 0, 0]);
        ids.dispose();
        return segmentBatchNormalize(x(), ids, 1);
      },
      /segmentIds is already disposed/,
    ],
    [
      'no tensors',
      () => jointBatchNormalize([]),
      /^jointBatchNormalize: expected at least one tensor, got none/,
    ],
    [
      'tensors with other channels',
      () => jointBatchNormalize([x(), tf.ones([2, 2, 4])], { name: 'head' }),
      /layer 'head'.*as many channels as the first, 3, got 4 at index 1 \(shape \[2, 2, 4\]\)/,
    ],
    [
      'a tensor of integers',
      () => jointBatchNormalize([x(), tf.ones([2, 3], 'int32')]),
      /the tensor at index 1 of dtype float32, got int32/,
    ],
    [
      'a beta for another number of tensors',
      () => jointBatchNormalize([x()], { beta: tf.ones([2, 3]) }),
      /beta of shape \[3\].*\[1, 3\].*got \[2, 3\]/,
    ],
    [
      'a gamma per group without groups',
      () => batchNormalize(x(), { gamma: tf.ones([1, 3]) }),
      /gamma of shape \[3\], one value per channel, got \[1, 3\]/,
    ],
  ];

  test.each(cases)('%s', (_, act, message) => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      expect(act).toThrow(InvalidInputError);
      expect(act).toThrow(message);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a single value per channel in all', () => {
    tf.tidy(() => {
      const joint = () => jointBatchNormalize([tf.ones([1, 3])]);
      expect(joint).toThrow(NormalizationBatchError);
      expect(joint).toThrow(/in all tensors together, got 1/);
      const pooled = () => segmentBatchNormalize(tf.ones([1, 3]), int32([0]), 2, { pooled: true });
      expect(pooled).toThrow(NormalizationBatchError);
      expect(pooled).toThrow(/in the pooled batch, got 1/);
    });
  });
});
