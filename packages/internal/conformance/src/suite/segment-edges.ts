// Samples in segments, where it is hard: values far from 0, a single segment, ids and values that spoil others.
import { InvalidInputError, segmentBatchNormalize, segmentNormalize } from '@rebatch/core';
import { readsWithoutStalling } from '@rebatch/core/~internal';
import {
  expectClose,
  expectNoLeaks,
  referenceSlotMoments,
  referenceSlotNorm,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { segmentSlots } from './segments.ts';
import { run, valuesOf } from './values.ts';

const TOLERANCE = 1e-5;
const EPSILON = 1e-3;

/** Declares the tests for the backend that is current when they run. */
export function describeSegmentEdges(): void {
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
      if (readsWithoutStalling()) {
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
