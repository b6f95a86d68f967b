// Means far larger than their deviations, merged over batches, against float64 loops over all values.
import { type Moments, mergeAllMoments, momentsOf } from '@rebatch/stats';
import {
  expectClose,
  expectNoLeaks,
  referenceMoments,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import {
  type PreciseMoments,
  preciseBatchNormalize,
  preciseMoments,
  readPreciseMoments,
  tensorsOfPrecise,
} from './~internal.ts';
import { batchMoments, InvalidInputError, readMoments } from './index.ts';

// The same ops under a name of which nobody knows that its tensors are in the memory of this process.
tf.registerBackend('remote', tf.findBackendFactory('cpu')!);
tf.copyRegisteredKernels('cpu', 'remote');

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const random = seededRandom(3);

const dispose = (moments: PreciseMoments) => tf.dispose(tensorsOfPrecise(moments));

test.each([0, 1e2, 1e3, 1e4, 1e5])('a mean of %d deviations', async (center) => {
  const batches = Array.from({ length: 12 }, () => random.normals(64 * 3, center));
  const exact = momentsOf(
    batches.flatMap((values) => [...values]),
    { channels: 3 },
  );
  const merged = async (measure: (x: tf.Tensor) => Promise<Moments[][]>) => {
    const read = await Promise.all(batches.map((values) => measure(tf.tensor2d(values, [64, 3]))));
    return mergeAllMoments(read.flat(2));
  };
  const precise = await merged((x) => readPreciseMoments([preciseMoments(x, {})]));
  const worst = (of: Float64Array) =>
    Math.max(...of.map((v, c) => Math.abs(v - exact.variance[c]!) / exact.variance[c]!));
  expect(worst(precise.variance)).toBeLessThanOrEqual(center > 1e4 ? 1e-5 : 1e-6);
  for (const [c, mean] of precise.mean.entries()) {
    expect(Math.abs(mean - exact.mean[c]!)).toBeLessThanOrEqual(center > 1e4 ? 1e-6 : 1e-7);
  }
  // What the rest of the means is for: without it, digits of the variance are lost.
  if (center >= 1e4)
    expect(worst((await merged((x) => readMoments([batchMoments(x)]))).variance)).toBeGreaterThan(1e-6);
});

test.each(['cpu', 'remote'])(
  'in groups, consecutive and by number, and nothing is left: %s',
  async (backend) => {
    await tf.setBackend(backend);
    const values = random.normals(6 * 4 * 2, 50);
    const of = Int32Array.from([0, 1, 1, 0, 2, 1]);
    const rows = (samples: number[]) =>
      momentsOf(
        samples.flatMap((sample) => [...values.slice(sample * 8, sample * 8 + 8)]),
        { channels: 2 },
      );
    await expectNoLeaks(tf, async () => {
      const x = tf.tensor3d(values, [6, 4, 2]);
      for (const [groups, members] of [
        [
          { count: 2 },
          [
            [0, 1, 2],
            [3, 4, 5],
          ],
        ],
        [{ count: 3, of }, [[0, 3], [1, 2, 5], [4]]],
      ] as const) {
        const moments = preciseMoments(x, {}, groups);
        expect(moments.packed.shape).toEqual([3, groups.count, 2]);
        const [read, again] = await readPreciseMoments([moments, moments]);
        expect(again).toEqual(read);
        expect(read!).toHaveLength(groups.count);
        for (const [g, { count, mean, variance }] of read!.entries()) {
          const expected = rows([...members[g]!]);
          expect(count).toBe(expected.count);
          for (const c of [0, 1]) {
            expect(Math.abs(mean[c]! - expected.mean[c]!)).toBeLessThan(1e-6);
            expect(Math.abs(variance[c]! / expected.variance[c]! - 1)).toBeLessThan(1e-5);
          }
        }
        dispose(moments);
      }
      x.dispose();
    });
  },
);

test.each(['cpu', 'remote'])(
  'of the values that count, in groups, and nothing is left: %s',
  async (backend) => {
    await tf.setBackend(backend);
    const values = random.normals(6 * 4 * 2, 1e4);
    const counts = Array.from({ length: 24 }, (_, i) => i % 3 !== 1);
    for (const groups of [{ count: 1 }, { count: 2 }, { count: 3, of: Int32Array.of(0, 2, 0, 1, 1, 2) }]) {
      const groupOf = (sample: number) => groups.of?.[sample] ?? Math.floor((sample * groups.count) / 6);
      await expectNoLeaks(tf, async () => {
        const x = tf.tensor3d(values, [6, 4, 2]);
        const mask = tf.tensor2d(counts.map(Number), [6, 4], 'bool');
        const moments = preciseMoments(x, {}, groups, mask);
        const [read, again] = await readPreciseMoments([moments, moments]);
        expect(again).toEqual(read);
        expect(moments.packed.shape).toEqual([3, groups.count, 2]);
        for (const [group, own] of read!.entries()) {
          const of = [...values].filter((_, i) => {
            const block = Math.floor(i / 2);
            return counts[block] && groupOf(Math.floor(block / 4)) === group;
          });
          const exact = momentsOf(of, { channels: 2 });
          expect(own.count).toBe(exact.count);
          for (const [c, mean] of own.mean.entries())
            expect(Math.abs(mean - exact.mean[c]!)).toBeLessThan(1e-6);
          for (const [c, variance] of own.variance.entries()) {
            expect(Math.abs(variance / exact.variance[c]! - 1)).toBeLessThan(1e-6);
          }
        }
        tf.dispose([x, mask]);
        dispose(moments);
      });
    }
  },
);

test.each([
  ['with gamma and beta', true],
  ['without', false],
])('normalizing by them, %s', async (_, affine) => {
  const layout = { outer: 7, channels: 3, inner: 4, groups: 1 };
  const values = random.normals(7 * 3 * 4, 5);
  const [gamma, beta] = affine ? [random.normals(3, 1), random.normals(3)] : [undefined, undefined];
  const { mean, variance } = referenceMoments(values, layout);
  const epsilon = 1e-3;
  const expected = referenceNormalize(values, layout, { mean, variance }, { gamma, beta, epsilon });
  await expectNoLeaks(tf, async () => {
    const x = tf.tensor3d(values, [7, 3, 4]);
    const own = { gamma: gamma && tf.tensor1d(gamma), beta: beta && tf.tensor1d(beta) };
    const { y, moments } = preciseBatchNormalize(x, { axis: 1, epsilon, ...own });
    expectClose(await y.data(), expected, 1e-6);
    const [[read]] = (await readPreciseMoments([moments])) as [[Moments]];
    expect(read.count).toBe(28);
    expectClose(read.mean, mean, 1e-6);
    expectClose(read.variance, variance, 1e-6);
    tf.dispose([
      x,
      y,
      ...tensorsOfPrecise(moments),
      ...Object.values(own).filter((one) => one !== undefined),
    ]);
  });
});

test('what cannot be normalized is refused', () => {
  expect(() => preciseBatchNormalize(tf.zeros([2, 3], 'int32'), {})).toThrow(InvalidInputError);
  expect(() => preciseBatchNormalize(tf.zeros([3]), {})).toThrow(/rank 2/);
  expect(() => preciseBatchNormalize(tf.zeros([2, 3]), { gamma: tf.zeros([2]) })).toThrow(/gamma/);
});
