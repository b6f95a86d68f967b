// Samples in segments, of every shape.
import { segmentBatchNormalize, segmentNormalize } from '@rebatch/core';
import {
  expectClose,
  referenceSlotMoments,
  referenceSlotNorm,
  type SeededRandom,
  type Slots,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { run, type Values, valuesOf } from './values.ts';

const TOLERANCE = 1e-5;
const EPSILON = 1e-3;

/** Shapes with one value per sample, a few, and many; channels last, in the middle and right behind the samples. */
const SHAPES: readonly { readonly shape: readonly number[]; readonly axis: number }[] = [
  { shape: [41, 5], axis: 1 },
  { shape: [150, 64], axis: -1 },
  { shape: [12, 3, 3, 7], axis: -1 },
  { shape: [9, 7, 7, 16], axis: 3 },
  { shape: [10, 6, 5, 5], axis: 1 },
  { shape: [7, 3, 6, 6], axis: -3 },
  { shape: [6, 3, 4, 33], axis: 2 },
  { shape: [3, 2, 3, 2, 3], axis: -1 },
];

/** Ids in random order, of all segments but the last but one, which stays empty. */
function idsOf(random: SeededRandom, samples: number, segments: number): Int32Array {
  return Int32Array.from({ length: samples }, (_, i) => {
    const id = i < 2 * segments ? i % segments : random.integer(0, segments - 1);
    return id === segments - 2 ? segments - 1 : id;
  });
}

/** The values of each segment and channel, with a gamma and beta for each if there is one per segment. */
export function segmentSlots(
  { channels, channelOf, sampleOf }: Values,
  ids: Int32Array,
  segments: number,
  how: { readonly pooled?: boolean; readonly affinePerSegment?: boolean },
): Slots {
  const bySegment = channelOf.map((channel, i) => ids[sampleOf[i]!]! * channels + channel);
  const slots = segments * channels;
  return {
    moments: how.pooled ? channelOf : bySegment,
    affine: how.affinePerSegment ? bySegment : channelOf,
    counts: {
      moments: how.pooled ? channels : slots,
      affine: how.affinePerSegment ? slots : channels,
    },
  };
}

/** Declares the tests for the backend that is current when they run. */
export function describeSegments(fewer: boolean): void {
  // One of every two shapes that are walked alike.
  const shapes = [...SHAPES.keys()].filter((index) => !fewer || ![1, 2, 5].includes(index));

  describe.each(shapes)('segments of shape #%i', (index) => {
    const { shape, axis } = SHAPES[index]!;
    const random = seededRandom(500 + index);
    const segments = 4;
    const values = valuesOf(random, shape, axis);
    const ids = idsOf(random, shape[0]!, segments);
    const slots = segments * values.channels;

    test.each([
      { pooled: false, affinePerSegment: false },
      { pooled: false, affinePerSegment: true },
      { pooled: true, affinePerSegment: false },
      { pooled: true, affinePerSegment: true },
    ])('segmentBatchNormalize, %o', async ({ pooled, affinePerSegment }) => {
      const affineShape = affinePerSegment ? [segments, values.channels] : [values.channels];
      const gamma = random.normals(affinePerSegment ? slots : values.channels, 1, 0.5);
      // A segment whose gamma is 0 must not take the gradients of the others with it.
      gamma[0] = 0;
      const beta = random.normals(gamma.length);
      const own = referenceSlotMoments(values.x, segmentSlots(values, ids, segments, {}).moments, slots);
      // Constants for the segments that have fewer than 2 values, of which each has at least one empty.
      const fallback = {
        mean: random.normals(slots),
        variance: random.normals(slots).map((v) => v * v + 0.1),
      };
      const constants = new Map(
        Array.from(own.count, (count, slot) => [count, slot] as const)
          .filter(([count]) => count < 2)
          .map(([, slot]) => [slot, { mean: fallback.mean[slot]!, variance: fallback.variance[slot]! }]),
      );
      expect(constants.size).toBeGreaterThan(0);
      const expected = referenceSlotNorm(
        values.x,
        values.dy,
        segmentSlots(values, ids, segments, { pooled, affinePerSegment }),
        { gamma, beta, epsilon: EPSILON, ...(pooled ? {} : { constants }) },
      );

      const inputs = [
        tf.tensor(values.x, [...shape]),
        tf.tensor(gamma, affineShape),
        tf.tensor(beta, affineShape),
      ];
      const tensors = {
        ids: tf.tensor1d(ids, 'int32'),
        mean: tf.tensor(fallback.mean, [segments, values.channels]),
        variance: tf.tensor(fallback.variance, [segments, values.channels]),
      };
      const options = { axis, epsilon: EPSILON, pooled, fallback: tensors };
      const op = ([x, gamma, beta]: tf.Tensor[]) =>
        segmentBatchNormalize(x!, tensors.ids, segments, { ...options, gamma, beta });
      const { outputs, gradients } = await run((all) => [op(all).y], inputs, [values.dy]);
      expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      expectClose(gradients[1]!, expected.dgamma, TOLERANCE, 'dgamma');
      expectClose(gradients[2]!, expected.dbeta, TOLERANCE, 'dbeta');

      const { y, mean, variance, counts, joint } = op(inputs);
      expect(y.shape).toEqual(shape);
      const whole = (of: ArrayLike<number>, key: 'mean' | 'variance') =>
        Array.from(of, (value, slot) => constants.get(slot)?.[key] ?? value);
      expectClose(await mean.data(), whole(own.mean, 'mean'), TOLERANCE, 'mean');
      expectClose(await variance.data(), whole(own.variance, 'variance'), TOLERANCE, 'variance');
      const perSegment = own.count.filter((_, slot) => slot % values.channels === 0);
      expect([...(await counts.data())]).toEqual([...perSegment]);
      expect(joint === undefined).toBe(!pooled);
      if (joint) {
        expectClose(await joint.mean.data(), expected.mean, TOLERANCE, 'joint mean');
        expectClose(await joint.variance.data(), expected.variance, TOLERANCE, 'joint variance');
        expect(joint.count).toBe(expected.count[0]);
      }
      tf.dispose([inputs, Object.values(tensors), y, mean, variance, counts, joint?.mean, joint?.variance]);
    });

    test.each([true, false])('segmentNormalize by given moments, fixedAffine: %s', async (fixedAffine) => {
      const slotsOf = segmentSlots(values, ids, segments, { affinePerSegment: true });
      const [gamma, beta, mean] = [random.normals(slots, 1), random.normals(slots), random.normals(slots)];
      const variance = random.normals(slots).map((v) => v * v + 0.1);
      const constants = new Map(Array.from(mean, (m, s) => [s, { mean: m, variance: variance[s]! }]));
      const expected = referenceSlotNorm(values.x, values.dy, slotsOf, {
        gamma,
        beta,
        epsilon: EPSILON,
        constants,
      });
      const perSegment = (data: Float32Array) => tf.tensor(data, [segments, values.channels]);
      const inputs = [tf.tensor(values.x, [...shape]), perSegment(gamma), perSegment(beta)];
      const tensors = {
        ids: tf.tensor1d(ids, 'int32'),
        mean: perSegment(mean),
        variance: perSegment(variance),
      };
      const op = ([x, gamma, beta]: tf.Tensor[]) => [
        segmentNormalize(x!, tensors.ids, tensors, { axis, epsilon: EPSILON, gamma, beta, fixedAffine }),
      ];
      const [x, ...affine] = inputs as [tf.Tensor, ...tf.Tensor[]];
      const wanted = fixedAffine ? [x] : inputs;
      const { outputs, gradients } = await run((all) => op([...all, ...affine].slice(0, 3)), wanted, [
        values.dy,
      ]);
      expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      if (!fixedAffine) {
        expectClose(gradients[1]!, expected.dgamma, TOLERANCE, 'dgamma');
        expectClose(gradients[2]!, expected.dbeta, TOLERANCE, 'dbeta');
      }
      tf.dispose([inputs, Object.values(tensors)]);
    });
  });
}
