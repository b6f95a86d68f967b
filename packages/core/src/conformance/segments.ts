// The part of the suite that is about segments. Not published.
import {
  expectClose,
  expectNoLeaks,
  referenceSlotMoments,
  referenceSlotNorm,
  type SeededRandom,
  type Slots,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { segmentBatchNormalize } from '../segment-batch-normalize.ts';
import { segmentNormalize } from '../segment-normalize.ts';
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

/** Ids of every segment but the one before the last, which stays empty, mixed well. */
function idsOf(random: SeededRandom, samples: number, segments: number): Int32Array {
  return Int32Array.from({ length: samples }, (_, i) => {
    const id = i < 2 * segments ? i % segments : random.integer(0, segments - 1);
    return id === segments - 2 ? segments - 1 : id;
  });
}

/** The values of each segment and channel, with a gamma and beta for each if there is one per segment. */
function segmentSlots(
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
  // Of the first two of each kind, one.
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

  test('a mean of 1e4 standard deviations, or one that differs by as much, leaves the moments exact', async () => {
    const random = seededRandom(31);
    for (const [shape, axis] of [
      [[900, 5], 1],
      [[24, 6, 6, 5], 3],
      [[24, 5, 6, 6], 1],
    ] as const) {
      const values = valuesOf(random, shape, axis);
      const ids = Int32Array.from({ length: shape[0] }, () => random.integer(0, 2));
      const far = [1e4, 1e4, -1];
      const x = Float32Array.from(values.sampleOf, (sample) => random.normal() + far[ids[sample]!]!);
      const of = segmentSlots(values, ids, 3, {}).moments;
      const expected = referenceSlotMoments(x, of, 3 * values.channels);
      const tensors = [tf.tensor(x, [...shape]), tf.tensor1d(ids, 'int32')] as const;
      const { y, mean, variance, counts } = segmentBatchNormalize(...tensors, 3, { axis });
      expectClose(await mean.data(), expected.mean, 1e-6, 'mean');
      expectClose(await variance.data(), expected.variance, 1e-6, 'variance');
      tf.dispose([...tensors, y, mean, variance, counts]);
    }
  });

  test('there may be a single segment', async () => {
    const random = seededRandom(36);
    for (const [shape, axis] of [
      [[7, 5], 1],
      [[9, 2, 3, 5], 3],
      [[4, 5, 6, 6], 1],
    ] as const) {
      const values = valuesOf(random, shape, axis);
      const ids = new Int32Array(shape[0]);
      const expected = referenceSlotNorm(values.x, values.dy, segmentSlots(values, ids, 1, {}), {
        epsilon: EPSILON,
      });
      const tensors = [tf.tensor(values.x, [...shape]), tf.tensor1d(ids, 'int32')] as const;
      const op = (x: tf.Tensor) => segmentBatchNormalize(x, tensors[1], 1, { axis, epsilon: EPSILON });
      const { y, mean, variance, counts } = op(tensors[0]);
      const { gradients } = await run(([x]) => [op(x!).y], [tensors[0]], [values.dy]);
      expectClose(await y.data(), expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      expect([...(await counts.data())]).toEqual([values.x.length / 5]);
      tf.dispose([...tensors, y, mean, variance, counts]);
    }
  });

  test('the moments are differentiable; those of a fallback are not', async () => {
    const random = seededRandom(32);
    const x = random.normals(60, 1, 2);
    const ids = [0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 2, 1, 0, 0, 1, 1];
    const weights = random.normals(12);
    const tensors = {
      x: tf.tensor2d(x, [20, 3]),
      ids: tf.tensor1d(ids, 'int32'),
      weights: tf.tensor2d(weights, [4, 3]),
      mean: tf.ones([4, 3]),
      variance: tf.ones([4, 3]),
    };
    const dx = tf.grad((input: tf.Tensor) => {
      const { mean, variance } = segmentBatchNormalize(input, tensors.ids, 4, { fallback: tensors });
      return tf.sum(tf.mul(tf.add(tf.square(mean), variance), tensors.weights));
    })(tensors.x);
    // d/dx of sum(w (mean^2 + variance)) = 2 w (mean + x - mean) / n = 2 w x / n.
    const expected = Array.from(x, (value, i) => {
      const id = ids[Math.floor(i / 3)]!;
      const count = ids.filter((other) => other === id).length;
      return count < 2 ? 0 : (2 * weights[id * 3 + (i % 3)]! * value) / count;
    });
    expectClose(await dx.data(), expected, TOLERANCE);
    tf.dispose([Object.values(tensors), dx]);
  });

  test('a NaN stays in its segment and channel', async () => {
    const shape = [6, 2];
    const values = seededRandom(33).normals(12);
    values[5] = Number.NaN;
    const tensors = [tf.tensor2d(values, [6, 2]), tf.tensor1d([0, 1, 0, 1, 0, 1], 'int32')] as const;
    const dx = tf.grad((x: tf.Tensor) => segmentBatchNormalize(x, tensors[1], 2).y)(tensors[0]);
    const { y, mean, variance, counts } = segmentBatchNormalize(...tensors, 2);
    const finite = async (tensor: tf.Tensor) => Array.from(await tensor.data(), Number.isFinite);
    expect(await finite(mean)).toEqual([true, false, true, true]);
    expect(await finite(variance)).toEqual([true, false, true, true]);
    const perValue = Array.from({ length: 12 }, (_, i) => !(i % 4 === 1));
    expect(await finite(y)).toEqual(perValue);
    expect(await finite(dx)).toEqual(perValue);
    expect(y.shape).toEqual(shape);
    tf.dispose([...tensors, dx, y, mean, variance, counts]);
  });

  test('an id out of range is an error, or where it cannot be read its sample is NaN and counts nowhere', async () => {
    const random = seededRandom(34);
    for (const [shape, axis] of [
      [[8, 5], 1],
      [[8, 2, 3, 5], 3],
      [[8, 5, 6, 6], 1],
    ] as const) {
      const values = valuesOf(random, shape, axis);
      const ids = Int32Array.from([0, 1, 2, 0, 1, -1, 1, 0]);
      const tensors = [tf.tensor(values.x, [...shape]), tf.tensor1d(ids, 'int32')] as const;
      const given = { mean: tf.zeros([2, 5]), variance: tf.ones([2, 5]) };
      const batch = () => segmentBatchNormalize(...tensors, 2, { axis, epsilon: EPSILON }).y;
      const constant = () => segmentNormalize(...tensors, given, { axis, epsilon: EPSILON });
      if (['cpu', 'wasm'].includes(tf.getBackend())) {
        for (const op of [batch, constant]) {
          expect(op).toThrow(InvalidInputError);
          expect(op).toThrow(/segment ids from 0 to 1, got 2, -1\./);
        }
      } else {
        const known = ids.map((id) => (id === 2 ? -1 : id));
        const { moments, ...slots } = segmentSlots(values, known, 2, {});
        const of = { ...slots, moments: Array.from(moments, (slot) => (slot < 0 ? -1 : slot)) };
        const constants = new Map(Array.from({ length: 10 }, (_, slot) => [slot, { mean: 0, variance: 1 }]));
        for (const [op, options] of [
          [batch, {}],
          [constant, { constants }],
        ] as const) {
          const expected = referenceSlotNorm(values.x, values.dy, of, { epsilon: EPSILON, ...options });
          const y = tf.tidy(op);
          const actual = await y.data();
          const inside = (data: ArrayLike<number>) => Array.from(data).filter((_, i) => of.moments[i]! >= 0);
          const outside = Array.from(actual).filter((_, i) => of.moments[i]! < 0);
          expectClose(inside(actual), inside(expected.y), TOLERANCE, 'y');
          expect(outside.every(Number.isNaN)).toBe(true);
          y.dispose();
        }
      }
      tf.dispose([...tensors, Object.values(given)]);
    }
  });

  test('segments leak nothing, forward or backward', async () => {
    const random = seededRandom(35);
    await expectNoLeaks(tf, async () => {
      const ids = tf.tensor1d([0, 1, 1, 0, 3], 'int32');
      const inputs = [tf.tensor(random.normals(60), [5, 3, 4]), tf.ones([4, 4]), tf.ones([4])];
      const given = { mean: tf.zeros([4, 4]), variance: tf.ones([4, 4]) };
      for (const pooled of [false, true]) {
        const op = ([x, gamma, beta]: tf.Tensor[]) => {
          const options = { gamma, beta, pooled, fallback: given };
          return segmentBatchNormalize(x!, ids, 4, options);
        };
        await run((all) => [op(all).y, op(all).mean], inputs, [random.normals(60), random.normals(16)]);
        const { y, mean, variance, counts, joint } = op(inputs);
        tf.dispose([y, mean, variance, counts, joint?.mean, joint?.variance]);
      }
      const constant = (x: tf.Tensor, fixedAffine: boolean) =>
        segmentNormalize(x, ids, given, { gamma: inputs[1], fixedAffine });
      for (const fixed of [true, false]) {
        await run(([x]) => [constant(x!, fixed)], inputs.slice(0, 1), [random.normals(60)]);
        constant(inputs[0]!, fixed).dispose();
      }
      tf.dispose([ids, inputs, Object.values(given)]);
    });
  });
}
