import { RebatchError } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { movingAverage, normalizePacked, packedBatchMoments, viewChannels } from './~internal.ts';
import {
  batchMoments,
  batchNormalize,
  InvalidInputError,
  NormalizationBatchError,
  normalize,
  normalizePart,
  readMoments,
} from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const given = () => ({ mean: tf.zeros([3]), variance: tf.ones([3]) });

const cases: [string, () => unknown, RegExp][] = [
  ['a rank of 1', () => batchMoments(tf.ones([3])), /^batchMoments: .*rank 2 or more.*\[3\].*expandDims/],
  ['an axis out of range', () => batchMoments(tf.ones([2, 3]), { axis: 2 }), /axis from -2 to 1.*got 2/],
  ['a fractional axis', () => viewChannels([2, 3], { axis: 0.5 }), /^viewChannels: .*got 0\.5/],
  ['an axis as Keras writes it', () => viewChannels([2, 3], { axis: [1] as never }), /got \[1\]\.$/],
  ['groups as a text', () => viewChannels([2, 3], { groups: '2' as never }), /got "2"\.$/],
  ['no tensor', () => batchNormalize(null as never), /^batchNormalize: expected x to be a tensor, got null/],
  [
    'a gamma that is null',
    () => batchNormalize(tf.ones([4, 3]), { gamma: null as never }),
    /expected gamma to be a tensor, got null/,
  ],
  [
    'moments without a mean',
    () => normalize(tf.ones([4, 3]), {} as never),
    /expected mean to be a tensor, got undefined/,
  ],
  [
    'numbers in the place of a tensor',
    () => batchMoments([[1, 2]] as never),
    /^batchMoments: expected x to be a tensor, got an array of 1 item\. Make one of it with tf\.tensor\.$/,
  ],
  ['a complex tensor', () => batchMoments(tf.complex(tf.ones([2, 3]), tf.ones([2, 3]))), /got complex64\.$/],
  [
    'no moments',
    () => normalize(tf.ones([4, 3]), undefined as never),
    /^normalize: expected mean and variance as \{ mean, variance \}, got undefined/,
  ],
  [
    'single values treated in a way that there is not',
    () => batchNormalize(tf.ones([4, 3]), { singleValue: 'normalise' as never, name: 'bn_1' }),
    /layer 'bn_1'\): expected singleValue to be 'throw' or 'normalize', got "normalise"/,
  ],
  [
    'a text for a flag',
    () => normalize(tf.ones([4, 3]), given(), { fixedAffine: 'no' as never }),
    /expected fixedAffine to be true or false, got "no"/,
  ],
  [
    'a part without a whole',
    () => normalizePart(tf.ones([4, 3]), null as never),
    /^normalizePart: expected mean and variance .*got null/,
  ],
  [
    'a part that cannot ask the others',
    () => normalizePart(tf.ones([4, 3]), { ...given(), count: 4 } as never),
    /expected sumOverParts to be a function, got undefined/,
  ],
  ['an empty tensor', () => batchMoments(tf.ones([0, 3])), /at least one value per channel.*\[0, 3\]/],
  ['an integer tensor', () => batchMoments(tf.ones([2, 3], 'int32')), /float32, got int32.*toFloat/],
  ['groups that do not divide', () => batchMoments(tf.ones([5, 3]), { groups: 2 }), /2 groups divide, got 5/],
  ['no groups', () => batchMoments(tf.ones([5, 3]), { groups: 0 }), /at least 1, got 0/],
  ['groups over channels', () => viewChannels([4, 3], { axis: 0, groups: 2 }), /Transpose/],
  [
    'a gamma of another size',
    () => batchNormalize(tf.ones([4, 3]), { gamma: tf.ones([2]) }),
    /gamma of shape \[3\].*\[2\]/,
  ],
  [
    'an integer beta',
    () => batchNormalize(tf.ones([4, 3]), { beta: tf.ones([3], 'int32') }),
    /beta of dtype float32/,
  ],
  ['a negative epsilon', () => batchNormalize(tf.ones([4, 3]), { epsilon: -1 }), /epsilon.*-1/],
  [
    'an epsilon that is an object',
    () => batchNormalize(tf.ones([4, 3]), { epsilon: {} as never }),
    /epsilon.*got an object/,
  ],
  [
    'a momentum that is an object',
    () => {
      const moving = { mean: tf.zeros([3]), variance: tf.ones([3]) };
      return movingAverage(moving, moving, { of: 0.9 } as never).mean;
    },
    /momentum from 0 to 1, got an object with of/,
  ],
  [
    'a count that is a text',
    () => {
      const whole = { mean: tf.zeros([3]), variance: tf.ones([3]), count: '8', sumOverParts: tf.clone };
      return normalizePart(tf.ones([4, 3]), whole as never);
    },
    /got "8"/,
  ],
  [
    'moments of another shape',
    () => normalize(tf.ones([4, 3]), { mean: tf.ones([3]), variance: tf.ones([2]) }),
    /variance of shape \[3\], got \[2\]/,
  ],
  [
    'packed moments of another shape',
    () => normalizePacked(tf.ones([4, 3]), tf.ones([2, 3, 1]), { name: 'bn_1' }),
    /layer 'bn_1'.*moments of shape \[2, 1, 3\].*got \[2, 3, 1\]/,
  ],
  ['packed moments of an integer tensor', () => packedBatchMoments(tf.ones([2, 3], 'int32')), /got int32/],
  [
    'a disposed tensor',
    () => {
      const x = tf.ones([4, 3]);
      x.dispose();
      return batchMoments(x, { name: 'bn_1' });
    },
    /layer 'bn_1'.*already disposed/,
  ],
];

test.each(cases)('%s is a clear error', (_, act, message) => {
  const before = tf.memory().numTensors;
  const error = caught(() => tf.tidy(() => act() as tf.Tensor));
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error).toBeInstanceOf(RebatchError);
  expect(error.name).toBe('InvalidInputError');
  expect(error.message).toMatch(message);
  expect(tf.memory().numTensors).toBe(before);
});

test('one value per channel cannot be normalized by itself', () => {
  const error = caught(() => tf.tidy(() => batchNormalize(tf.ones([1, 3]), { name: 'bn_2' }).y));
  expect(error).toBeInstanceOf(NormalizationBatchError);
  expect(error.message).toMatch(/layer 'bn_2'.*at least 2 values per channel.*got 1/);
  expect(() => tf.tidy(() => batchNormalize(tf.ones([4, 3]), { groups: 4 }).y)).toThrow(/4 groups/);
});

test('reading disposed or mismatched moments rejects', async () => {
  const [mean, variance] = [tf.ones([3]), tf.ones([2])];
  await expect(readMoments([{ mean, variance, count: 4 }])).rejects.toThrow(/index 0, got \[3\] and \[2\]/);
  tf.dispose([mean, variance]);
  await expect(readMoments([{ mean, variance, count: 4 }])).rejects.toThrow(InvalidInputError);
  await expect(readMoments([])).resolves.toEqual([]);
});

test('moments of no channels are read as such', async () => {
  const none = { mean: tf.zeros([0]), variance: tf.zeros([0]) };
  const groups = { mean: tf.zeros([2, 0]), variance: tf.zeros([2, 0]) };
  const empty = { mean: new Float64Array(0), variance: new Float64Array(0) };
  expect(await readMoments([none, groups])).toEqual([[empty], [empty, empty]]);
});

test.each([
  [undefined, /^readMoments: expected a list of moments, got undefined/],
  [[undefined], /expected at index 0 a mean and variance .*got undefined/],
  [[{}], /expected the mean at index 0 to be a tensor, got undefined/],
])('reading %j rejects', async (batches, message) => {
  const error = await readMoments(batches as never).catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error).toHaveProperty('message', expect.stringMatching(message));
});

function caught(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
