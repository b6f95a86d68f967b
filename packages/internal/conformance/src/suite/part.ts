// Parts of a normalization batch, whose whole is put together by the test, as replicas put theirs together.
import { InvalidInputError, normalizePart } from '@rebatch/core';
import {
  expectClose,
  expectNoLeaks,
  type referenceSlotMoments,
  referenceSlotNorm,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { run, valuesOf } from './values.ts';

const EPSILON = 1e-3;
const TOLERANCE = 1e-5;

/** Parts of one normalization batch, of different sizes. */
const PARTS: { shapes: number[][]; axis: number }[] = [
  {
    shapes: [
      [5, 4, 4, 8],
      [2, 4, 4, 8],
    ],
    axis: -1,
  },
  {
    shapes: [
      [3, 5, 6],
      [7, 5, 6],
      [1, 5, 6],
    ],
    axis: 1,
  },
  {
    shapes: [
      [1, 3],
      [4, 3],
    ],
    axis: 1,
  },
];

/** Declares the tests for the backend that is current when they run. */
export function describeParts(): void {
  describe('normalizePart', () => {
    test.each([...PARTS.keys()])('the parts #%i have values and gradients of the whole', async (index) => {
      const { shapes, axis } = PARTS[index]!;
      const random = seededRandom(900 + index);
      const parts = shapes.map((shape) => valuesOf(random, shape, axis));
      const { channels } = parts[0]!;
      const [gamma, beta] = [random.normals(channels, 1), random.normals(channels)];
      const all = (of: 'x' | 'dy' | 'channelOf') => parts.flatMap((part) => Array.from(part[of]));
      const counts = { moments: channels, affine: channels };
      const slots = { moments: all('channelOf'), affine: all('channelOf'), counts };
      const expected = referenceSlotNorm(all('x'), all('dy'), slots, { gamma, beta, epsilon: EPSILON });

      const moments = { mean: vector(expected.mean), variance: vector(expected.variance) };
      const count = expected.count[0]!;
      const sums = parts.map((part) => sumsOf(part, expected, channels));
      const total = Float32Array.from({ length: 2 * channels }, (_, i) =>
        sums.reduce((sum, own) => sum + own[i]!, 0),
      );
      const got: Awaited<ReturnType<typeof run>>[] = [];
      for (const [at, part] of parts.entries()) {
        const inputs = [tf.tensor(part.x, shapes[at]!), tf.tensor1d(gamma), tf.tensor1d(beta)];
        let asked: tf.Tensor | undefined;
        const sumOverParts = (own: tf.Tensor2D) => {
          expect(own.shape).toEqual([2, channels]);
          // Read when the pass is over: webgpu cannot read a tensor that is disposed meanwhile.
          asked = tf.keep(tf.clone(own));
          return tf.tensor2d(total, [2, channels]);
        };
        const whole = { ...moments, count, sumOverParts };
        const op = ([x, gamma, beta]: tf.Tensor[]) => [
          normalizePart(x!, whole, { axis, gamma, beta, epsilon: EPSILON }),
        ];
        got.push(await run(op, inputs, [part.dy]));
        expectClose(await asked!.data<'float32'>(), sums[at]!, TOLERANCE, `what part ${at} adds`);
        tf.dispose([...inputs, asked!]);
      }
      const flat = (of: (part: (typeof got)[number]) => Float32Array) =>
        got.flatMap((part) => Array.from(of(part)));
      const added = (input: number) =>
        Float32Array.from({ length: channels }, (_, c) =>
          got.reduce((sum, { gradients }) => sum + gradients[input]![c]!, 0),
        );
      expectClose(
        flat(({ outputs }) => outputs[0]!),
        expected.y,
        TOLERANCE,
        'y',
      );
      expectClose(
        flat(({ gradients }) => gradients[0]!),
        expected.dx,
        TOLERANCE,
        'dx',
      );
      expectClose(added(1), expected.dgamma, TOLERANCE, 'dgamma, added up');
      expectClose(added(2), expected.dbeta, TOLERANCE, 'dbeta, added up');
      tf.dispose(Object.values(moments));
    });

    test('refuses a count below its own, and moments of another shape', () => {
      const x = tf.ones([4, 3]);
      const whole = {
        mean: tf.zeros([3]),
        variance: tf.ones([3]),
        count: 8,
        sumOverParts: (own: tf.Tensor) => own,
      };
      const few = () => normalizePart(x, { ...whole, count: 3 }, { name: 'bn' });
      expect(few).toThrow(InvalidInputError);
      expect(few).toThrow(/layer 'bn'.*at least the 4 values per channel.*got 3/);
      const wide = tf.zeros([4]);
      expect(() => normalizePart(x, { ...whole, mean: wide })).toThrow(/mean of shape \[3\]/);
      tf.dispose([x, wide, whole.mean, whole.variance]);
    });

    test('a part leaks nothing, forward or backward', async () => {
      const random = seededRandom(44);
      await expectNoLeaks(tf, async () => {
        const inputs = [tf.tensor(random.normals(24), [4, 2, 3]), tf.ones([3])];
        const whole = { mean: tf.zeros([3]), variance: tf.ones([3]), count: 16 };
        const sumOverParts = (own: tf.Tensor2D) => tf.mul(own, 2);
        await run(([x, gamma]) => [normalizePart(x!, { ...whole, sumOverParts }, { gamma })], inputs, [
          random.normals(24),
        ]);
        tf.dispose([inputs, whole.mean, whole.variance]);
      });
    });
  });
}

const vector = (values: Float64Array) => tf.tensor1d(Float32Array.from(values));

/** The sums of dy and of dy * xhat over one part, in float64. */
function sumsOf(
  { x, dy, channelOf }: ReturnType<typeof valuesOf>,
  { mean, variance }: ReturnType<typeof referenceSlotMoments>,
  channels: number,
): Float64Array {
  const sums = new Float64Array(2 * channels);
  channelOf.forEach((channel, i) => {
    sums[channel]! += dy[i]!;
    sums[channels + channel]! +=
      (dy[i]! * (x[i]! - mean[channel]!)) / Math.sqrt(variance[channel]! + EPSILON);
  });
  return sums;
}
