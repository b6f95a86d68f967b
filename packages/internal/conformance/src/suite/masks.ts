// Values that do not count, such as padded steps: they are normalized by the moments of the others.
import {
  InvalidInputError,
  NormalizationBatchError,
  normalizePart,
  segmentBatchNormalize,
} from '@rebatch/core';
import { maskedMoments, readsWithoutStalling } from '@rebatch/core/~internal';
import {
  expectClose,
  expectNoLeaks,
  referenceSlotMoments,
  referenceSlotNorm,
  type SeededRandom,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { segmentSlots } from './segments.ts';
import { run, valuesOf } from './values.ts';

const EPSILON = 1e-3;
const TOLERANCE = 1e-5;

/** Shapes, their channel axes, and how many axes a mask of theirs has. */
const SHAPES: readonly { readonly shape: number[]; readonly axis: number; readonly masked: number }[] = [
  { shape: [6, 7, 5], axis: -1, masked: 2 },
  { shape: [4, 3, 4, 9], axis: 3, masked: 3 },
  { shape: [5, 6, 2, 16], axis: -1, masked: 2 },
  { shape: [9, 4, 3, 3], axis: 1, masked: 1 },
  { shape: [17, 3], axis: -1, masked: 1 },
];

/** Which blocks count: about two of three, and of each segment at least one that does and one that does not. */
function maskOf(random: SeededRandom, blocks: number, segmentOf: (block: number) => number): boolean[] {
  const met = new Map<number, number>();
  return Array.from({ length: blocks }, (_, block) => {
    const before = met.get(segmentOf(block)) ?? 0;
    met.set(segmentOf(block), before + 1);
    return before < 3 ? before !== 1 : random.uniform() < 0.6;
  });
}

/** Samples in segments, masks and what they should give. */
function caseOf(index: number, segments: number) {
  const { shape, axis, masked } = SHAPES[index]!;
  const random = seededRandom(700 + 10 * index + segments);
  const values = valuesOf(random, shape, axis);
  const ids = Int32Array.from({ length: shape[0]! }, (_, i) => i % segments);
  const maskShape = shape.slice(0, masked);
  const blocks = maskShape.reduce((a, b) => a * b, 1);
  const perBlock = values.x.length / blocks;
  const counts = maskOf(random, blocks, (block) => ids[Math.floor((block * shape[0]!) / blocks)]!);
  const counted = Array.from(values.x, (_, i) => counts[Math.floor(i / perBlock)]!);
  return { ...{ shape, axis, random, values, ids, maskShape, counts, counted } };
}

/** Declares the tests for the backend that is current when they run. */
export function describeMasks(fewer: boolean): void {
  // Those left out differ from another one in how many values and channels there are.
  const shapes = [...SHAPES.keys()].filter((index) => !fewer || ![0, 2].includes(index));
  describe.each(shapes)('masks of shape #%i', (index) => {
    test.each([
      { segments: 1, pooled: false, own: false },
      { segments: 2, pooled: false, own: true },
      { segments: 2, pooled: true, own: false },
    ])('segmentBatchNormalize, %o', async ({ segments, pooled, own }) => {
      const { shape, axis, random, values, ids, maskShape, counts, counted } = caseOf(index, segments);
      const { channels } = values;
      const affine = own ? [segments, channels] : [channels];
      const gamma = random.normals(own ? segments * channels : channels, 1, 0.5);
      const beta = random.normals(gamma.length);
      const slots = segmentSlots(values, ids, segments, { pooled, affinePerSegment: own });
      const options = { gamma, beta, epsilon: EPSILON, counted };
      const expected = referenceSlotNorm(values.x, values.dy, slots, options);
      const inputs = [tf.tensor(values.x, shape), tf.tensor(gamma, affine), tf.tensor(beta, affine)];
      const mask = tf.tensor(counts, maskShape, 'bool');
      const numbers = tf.tensor1d(ids, 'int32');
      const op = ([x, gamma, beta]: tf.Tensor[]) =>
        segmentBatchNormalize(x!, numbers, segments, { axis, epsilon: EPSILON, pooled, mask, gamma, beta });
      const { outputs, gradients } = await run((all) => [op(all).y], inputs, [values.dy]);
      expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      expectClose(gradients[1]!, expected.dgamma, TOLERANCE, 'dgamma');
      expectClose(gradients[2]!, expected.dbeta, TOLERANCE, 'dbeta');

      const perSegment = segmentSlots(values, ids, segments, {}).moments;
      const part = Int32Array.from(perSegment, (slot, i) => (counted[i] ? slot : -1));
      const moments = referenceSlotMoments(values.x, part, segments * channels);
      const { y, mean, variance, counts: given, joint } = op(inputs);
      expectClose(await mean.data(), moments.mean, TOLERANCE, 'mean');
      expectClose(await variance.data(), moments.variance, TOLERANCE, 'variance');
      expect([...(await given.data())]).toEqual(
        [...moments.count].filter((_, slot) => slot % channels === 0),
      );
      if (joint) {
        expectClose(await joint.variance.data(), expected.variance, TOLERANCE, 'joint variance');
        expect([...(await (joint.count as tf.Tensor).data())]).toEqual([expected.count[0]]);
      }
      tf.dispose([inputs, mask, numbers, y, mean, variance, given, { ...joint }]);
    });

    test('maskedMoments, and their gradient', async () => {
      const { shape, axis, values, random, maskShape, counts, counted } = caseOf(index, 1);
      const part = Int32Array.from(values.channelOf, (channel, i) => (counted[i] ? channel : -1));
      const expected = referenceSlotMoments(values.x, part, values.channels);
      const [x, mask] = [tf.tensor(values.x, shape), tf.tensor(counts, maskShape, 'bool')];
      const { mean, variance, count } = maskedMoments(x, mask, { axis });
      expectClose(await mean.data(), expected.mean, 1e-6, 'mean');
      expectClose(await variance.data(), expected.variance, 1e-6, 'variance');
      expect([...(await count.data())]).toEqual([expected.count[0]]);
      const weights = random.normals(values.channels);
      const dx = tf.grad((input: tf.Tensor) => {
        const own = maskedMoments(input, mask, { axis });
        return tf.sum(tf.mul(tf.add(tf.square(own.mean), own.variance), tf.tensor1d(weights)));
      })(x);
      // Of w (mean^2 + variance), which is the mean of w x^2.
      const slopes = Array.from(values.x, (value, i) => {
        const channel = values.channelOf[i]!;
        return counted[i] ? (2 * weights[channel]! * value) / expected.count[0]! : 0;
      });
      expectClose(await dx.data(), slopes, TOLERANCE, 'gradient');
      tf.dispose([x, mask, mean, variance, count, dx]);
    });

    test('normalizePart with a mask, alone and as if twice as much were elsewhere', async () => {
      const { shape, axis, values, random, maskShape, counts, counted } = caseOf(index, 1);
      const { channels } = values;
      const [gamma, beta] = [random.normals(channels, 1), random.normals(channels)];
      const slots = segmentSlots(values, new Int32Array(shape[0]!), 1, {});
      const options = { gamma, beta, epsilon: EPSILON, counted };
      const expected = referenceSlotNorm(values.x, values.dy, slots, options);
      const moments = [expected.mean, expected.variance].map((own) => tf.tensor1d(Float32Array.from(own)));
      const inputs = [tf.tensor(values.x, shape), tf.tensor1d(gamma), tf.tensor1d(beta)];
      const mask = tf.tensor(counts, maskShape, 'bool');
      for (const times of [1, 3]) {
        const whole = {
          mean: moments[0]!,
          variance: moments[1]!,
          count: times * expected.count[0]!,
          sumOverParts: (own: tf.Tensor2D) => tf.mul(own, times),
        };
        const op = ([x, gamma, beta]: tf.Tensor[]) => [
          normalizePart(x!, whole, { axis, epsilon: EPSILON, mask, gamma, beta }),
        ];
        const { outputs, gradients } = await run(op, inputs, [values.dy]);
        expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
        expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
        expectClose(gradients[1]!, expected.dgamma, TOLERANCE, 'dgamma');
      }
      tf.dispose([inputs, mask, moments]);
    });
  });

  describe('masks', () => {
    test('a segment of which nothing counts has moments of 0, spoils no other, and gets a gradient', async () => {
      const values = valuesOf(seededRandom(61), [4, 3, 2], -1);
      const ids = tf.tensor1d([0, 1, 0, 1], 'int32');
      const mask = tf.tensor2d([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0], [4, 3], 'bool');
      const counted = Array.from(values.x, (_, i) => [0, 1, 2, 6, 7].includes(Math.floor(i / 2)));
      const slots = segmentSlots(values, Int32Array.from([0, 1, 0, 1]), 2, {});
      const expected = referenceSlotNorm(values.x, values.dy, slots, { epsilon: EPSILON, counted });
      const x = tf.tensor(values.x, [4, 3, 2]);
      const op = (input: tf.Tensor) => segmentBatchNormalize(input, ids, 2, { epsilon: EPSILON, mask });
      const { outputs, gradients } = await run(([x]) => [op(x!).y], [x], [values.dy]);
      expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      const { y, mean, variance, counts } = op(x);
      expect([...(await counts.data())]).toEqual([5, 0]);
      expect([...(await mean.data())].slice(2)).toEqual([0, 0]);
      tf.dispose([ids, mask, x, y, mean, variance, counts]);
    });

    test('a NaN that does not count spoils itself alone', async () => {
      const x = tf.tensor2d([1, 2, Number.NaN, 4], [4, 1]);
      const mask = tf.tensor1d([1, 1, 0, 1], 'bool');
      const { y, mean, variance, counts } = segmentBatchNormalize(x, tf.zeros([4], 'int32'), 1, { mask });
      const values = [...(await y.data())];
      expect(values.map(Number.isFinite)).toEqual([true, true, false, true]);
      expectClose(await mean.data(), [7 / 3], TOLERANCE);
      tf.dispose([x, mask, y, mean, variance, counts]);
    });

    test('a single value that counts: refused where that can be read, else NaN; or beta, if that is wanted', async () => {
      const x = tf.tensor2d([5, 7, 9], [3, 1]);
      const ids = tf.zeros([3], 'int32') as tf.Tensor1D;
      const mask = tf.tensor1d([0, 1, 0], 'bool');
      const op = (options: object) => segmentBatchNormalize(x, ids, 1, { mask, epsilon: 0.25, ...options });
      if (readsWithoutStalling()) {
        expect(() => op({})).toThrow(NormalizationBatchError);
        expect(() => op({ pooled: true })).toThrow(NormalizationBatchError);
      } else {
        const y = tf.tidy(() => op({}).y);
        expect([...(await y.data())].every(Number.isNaN)).toBe(true);
        y.dispose();
      }
      const y = tf.tidy(() => op({ singleValue: 'normalize' }).y);
      expectClose(await y.data(), [-4, 0, 4], TOLERANCE);
      tf.dispose([x, ids, mask, y]);
    });

    test('of another shape or type are refused', () => {
      const x = tf.ones([4, 3, 2]);
      const ids = tf.zeros([4], 'int32') as tf.Tensor1D;
      const gone = tf.ones([4, 3], 'bool');
      gone.dispose();
      const masks: [tf.Tensor, RegExp][] = [
        [
          tf.ones([4, 2], 'bool'),
          /layer 'bn'.*mask of dtype bool.*x of shape \[4, 3, 2\], got bool \[4, 2\]/,
        ],
        [tf.ones([4, 3, 2], 'bool'), /got bool \[4, 3, 2\]/],
        [tf.ones([4, 3]), /got float32 \[4, 3\]/],
        [gone, /the mask is already disposed/],
      ];
      for (const [mask, message] of masks) {
        const act = () => segmentBatchNormalize(x, ids, 1, { name: 'bn', mask });
        expect(act).toThrow(InvalidInputError);
        expect(act).toThrow(message);
      }
      tf.dispose([x, ids, masks.slice(0, 3).map(([mask]) => mask)]);
    });

    test('leak nothing, forward or backward', async () => {
      const random = seededRandom(62);
      await expectNoLeaks(tf, async () => {
        const inputs = [tf.tensor(random.normals(60), [5, 3, 4]), tf.ones([4])];
        const mask = tf.tensor2d([1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1], [5, 3], 'bool');
        const ids = tf.tensor1d([0, 1, 1, 0, 0], 'int32');
        const op = ([x, gamma]: tf.Tensor[]) => segmentBatchNormalize(x!, ids, 2, { gamma, mask });
        await run((all) => [op(all).y, op(all).mean], inputs, [random.normals(60), random.normals(8)]);
        const { y, mean, variance, counts } = op(inputs);
        const own = maskedMoments(inputs[0]!, mask);
        tf.dispose([inputs, mask, ids, y, mean, variance, counts, own.mean, own.variance, own.count]);
      });
    });
  });
}
