// Moments, normalization and its gradients, on random shapes: against float64 loops.
import { batchMoments, batchNormalize, normalize, readMoments } from '@rebatch/core';
import { normalizePacked, packedBatchMoments } from '@rebatch/core/~internal';
import {
  expectClose,
  expectNoLeaks,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceMoments,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { affine, CASES, gradientsOf, LARGE, load, perChannelSums } from './cases.ts';

const TOLERANCE = 1e-5;

/** Declares the tests for the backend that is current when they run. */
export function describeBatchNorm(fewer: boolean): void {
  const cases = fewer ? CASES.filter((_, i) => i % 3 === 0) : CASES;

  test.each([...cases, ...LARGE])('$title: moments, values and gradients', async (c) => {
    const tensors = load(c);
    try {
      const moments = batchMoments(tensors.x, c.options);
      const expected = referenceMoments(c.x, c.layout);
      expect(moments.count).toBe(expected.count);
      expect(moments.mean.shape).toEqual(
        c.options.groups === undefined ? [c.layout.channels] : [c.options.groups, c.layout.channels],
      );
      expectClose(await moments.mean.data(), expected.mean, TOLERANCE, 'mean');
      expectClose(await moments.variance.data(), expected.variance, TOLERANCE, 'variance');

      const out = batchNormalize(tensors.x, { ...c.options, ...tensors.affine });
      expect(out.y.shape).toEqual(c.shape);
      expectClose(await out.y.data(), referenceBatchNorm(c.x, c.layout, affine(c)), TOLERANCE, 'y');
      expectClose(await out.variance.data(), expected.variance, TOLERANCE, 'returned variance');

      const packed = packedBatchMoments(tensors.x, c.options);
      expect(packed.shape).toEqual([2, c.options.groups ?? 1, c.layout.channels]);
      const both = [...expected.mean, ...expected.variance];
      expectClose(await packed.data(), both, TOLERANCE, 'packed moments');
      const same = normalizePacked(tensors.x, packed, { ...c.options, ...tensors.affine });
      expect(same.shape).toEqual(c.shape);
      expectClose(await same.data(), referenceBatchNorm(c.x, c.layout, affine(c)), TOLERANCE, 'y by packed');
      tf.dispose([packed, same]);

      const gradients = await gradientsOf(
        tensors,
        (options) => batchNormalize(tensors.x, options).y,
        c.options,
      );
      const reference = referenceBatchNormGradients(c.x, c.dy, c.layout, affine(c));
      expectClose(gradients.dx, reference.dx, TOLERANCE, 'dx');
      if (gradients.dgamma) expectClose(gradients.dgamma, reference.dgamma, TOLERANCE, 'dgamma');
      if (gradients.dbeta) expectClose(gradients.dbeta, reference.dbeta, TOLERANCE, 'dbeta');
      tf.dispose([moments.mean, moments.variance, out.y, out.mean, out.variance]);
    } finally {
      tf.dispose(tensors.all);
    }
  });

  test.each([...cases.slice(0, 12), ...LARGE])('$title: normalize by given moments', async (c) => {
    const tensors = load(c);
    const slots = c.layout.groups * c.layout.channels;
    const own = seededRandom(slots);
    const mean = own.normals(slots);
    const variance = own.normals(slots).map((v) => v * v + 0.1);
    const shape = c.options.groups === undefined ? [slots] : [c.options.groups, c.layout.channels];
    const given = { mean: tf.tensor(mean, shape), variance: tf.tensor(variance, shape) };
    try {
      const y = normalize(tensors.x, given, { ...c.options, ...tensors.affine });
      const moments = { mean, variance };
      expectClose(await y.data(), referenceNormalize(c.x, c.layout, moments, affine(c)), TOLERANCE, 'y');
      y.dispose();
      const gradients = await gradientsOf(
        tensors,
        (options) => normalize(tensors.x, given, options),
        c.options,
      );
      const slope = { ...affine(c), beta: undefined };
      const still = { mean: new Float32Array(slots), variance };
      expectClose(gradients.dx, referenceNormalize(c.dy, c.layout, still, slope as never), TOLERANCE, 'dx');
      const xhat = referenceNormalize(c.x, c.layout, moments, { epsilon: c.options.epsilon });
      const { dgamma, dbeta } = perChannelSums(c, xhat);
      if (gradients.dgamma) expectClose(gradients.dgamma, dgamma, TOLERANCE, 'dgamma');
      if (gradients.dbeta) expectClose(gradients.dbeta, dbeta, TOLERANCE, 'dbeta');
    } finally {
      tf.dispose([tensors.all, given]);
    }
  });

  test('the moments themselves are differentiable', async () => {
    const x = seededRandom(9).normals(60, 1, 2);
    const layout = { outer: 20, channels: 3, inner: 1, groups: 1 };
    const weights = [0.3, -1, 2];
    const tensor = tf.tensor(x, [20, 3]);
    const dx = tf.grad((input: tf.Tensor) => {
      const { mean, variance } = batchMoments(input);
      return tf.sum(tf.mul(tf.add(tf.square(mean), variance), weights));
    })(tensor);
    // d/dx of sum(w (mean^2 + variance)) = 2 w (mean + x - mean) / n = 2 w x / n.
    const expected = Array.from(x, (v, i) => (2 * weights[i % 3]! * v) / layout.outer);
    expectClose(await dx.data(), expected, TOLERANCE);
    tf.dispose([tensor, dx]);
  });

  test('many layers are read at once, and an entry may have groups', async () => {
    const a = seededRandom(1).normals(48, 2);
    const b = seededRandom(2).normals(40);
    const x = [tf.tensor(a, [4, 4, 3]), tf.tensor(b, [8, 5])] as const;
    const entries = [batchMoments(x[0]), batchMoments(x[1], { groups: 2 })];
    const read = vi.spyOn(tf.backend(), 'read');
    const pending = readMoments(entries);
    tf.dispose(entries.flatMap(({ mean, variance }) => [mean, variance]));
    const [first, second] = await pending;
    expect(read).toHaveBeenCalledTimes(1);
    read.mockRestore();
    const all = referenceMoments(a, { outer: 16, channels: 3, inner: 1, groups: 1 });
    expect(first).toHaveLength(1);
    expect(first![0]!.count).toBe(16);
    expectClose(first![0]!.mean, all.mean, TOLERANCE);
    expectClose(first![0]!.variance, all.variance, TOLERANCE);
    const halves = referenceMoments(b, { outer: 8, channels: 5, inner: 1, groups: 2 });
    expect(second).toHaveLength(2);
    expectClose(second![1]!.mean, halves.mean.slice(5), TOLERANCE);
    expectClose(second![1]!.variance, halves.variance.slice(5), TOLERANCE);
    tf.dispose([...x]);
  });

  test('a mean and a variance without a count are read as they are', async () => {
    const values = seededRandom(3).normals(12);
    const [mean, variance] = [tf.tensor2d(values.slice(0, 6), [2, 3]), tf.tensor2d(values.slice(6), [2, 3])];
    const counted = batchMoments(mean);
    const [groups, [own]] = (await readMoments([{ mean, variance }, counted])) as [object[], object[]];
    expect(groups).toEqual(
      [0, 3].map((at) => ({
        mean: Float64Array.from(values.slice(at, at + 3)),
        variance: Float64Array.from(values.slice(at + 6, at + 9)),
      })),
    );
    expect(own).toHaveProperty('count', 2);
    tf.dispose([mean, variance, counted.mean, counted.variance]);
  });

  test('nothing leaks, forward or backward', async () => {
    const c = LARGE[1]!;
    await expectNoLeaks(tf, async () => {
      const tensors = load(c);
      const moments = batchMoments(tensors.x, c.options);
      const out = batchNormalize(tensors.x, { ...c.options, ...tensors.affine });
      const same = normalize(tensors.x, moments, { ...c.options, ...tensors.affine });
      const packed = packedBatchMoments(tensors.x, c.options);
      tf.dispose([packed, normalizePacked(tensors.x, packed, { ...c.options, ...tensors.affine })]);
      await readMoments([moments, out]);
      await gradientsOf(tensors, (options) => batchNormalize(tensors.x, options).y, c.options);
      await gradientsOf(tensors, (options) => normalize(tensors.x, moments, options), c.options);
      const dx = tf.grad((x: tf.Tensor) => tf.sum(batchMoments(x).variance))(tensors.x);
      tf.dispose([tensors.all, moments.mean, moments.variance, out.y, out.mean, out.variance, same, dx]);
    });
  });

  // A backend's own op takes up to rank 4, and vectors: what has to be reshaped for it is not to be left behind.
  test.each([
    { shape: [2, 3, 2, 2, 3], groups: undefined },
    { shape: [4, 3], groups: 1 },
  ])('normalize leaves nothing but its result: $shape, $groups group(s)', ({ shape, groups }) => {
    const x = tf.zeros(shape);
    const moments = groups === undefined ? [3] : [groups, 3];
    const [mean, variance] = [tf.zeros(moments), tf.ones(moments)];
    const affine = { gamma: tf.ones(moments), beta: tf.zeros(moments) };
    const before = tf.memory().numTensors;
    const y = normalize(x, { mean, variance }, { ...affine, ...(groups !== undefined && { groups }) });
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([x, mean, variance, Object.values(affine), y]);
  });
}
