// The batch-norm kernels where ids tell the groups: blocks of any size, in any order, in groups of any size.
import { expectClose, referenceSlotMoments, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import './index.ts';

const random = seededRandom(11);

interface Layout {
  readonly ids: readonly number[];
  /** Outer indices per block. */
  readonly rows: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

/** Flat blocks, whose rows are copied together; tall ones, which are not; both with and without a rest; short runs, long runs. */
const layouts: fc.Arbitrary<Layout> = fc
  .record({
    rows: fc.oneof(fc.constantFrom(1, 1, 2, 7, 8, 9, 31, 32, 33, 49), fc.integer({ min: 1, max: 90 })),
    channels: fc.oneof(fc.constantFrom(1, 2, 3, 4, 6, 8, 16, 17, 20, 33), fc.integer({ min: 1, max: 70 })),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 40 })),
    groups: fc.integer({ min: 1, max: 5 }),
  })
  .filter(({ rows, channels, inner }) => rows * channels * inner < 20_000)
  .chain((sizes) =>
    fc
      .oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 200 }))
      .filter((blocks) => blocks * sizes.rows * sizes.channels * sizes.inner < 100_000)
      .chain((blocks) => {
        const known = fc.integer({ min: 0, max: sizes.groups - 1 });
        const stray = fc.constantFrom(-1, sizes.groups, 2 ** 31 - 1, -(2 ** 31));
        const id = fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: stray });
        return fc.array(id, { minLength: blocks, maxLength: blocks });
      })
      .map((ids) => ({ ...sizes, ids })),
  );

/** The slot of each value in [groups, channels], -1 for one of no group. */
function slotsOf({ ids, rows, channels, inner, groups }: Layout): number[] {
  return Array.from({ length: ids.length * rows * channels * inner }, (_, i) => {
    const id = ids[Math.floor(i / (rows * channels * inner))]!;
    return id >= 0 && id < groups ? id * channels + (Math.floor(i / inner) % channels) : -1;
  });
}

function run(
  kernel: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, number>,
): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes) as tf.Tensor;
}

describe('batch-norm kernels by ids', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('match a float64 loop', () => {
    fc.assert(
      fc.property(layouts, fc.boolean(), (layout, perGroup) => {
        const { ids, rows, channels, inner, groups } = layout;
        const of = slotsOf(layout);
        const slots = groups * channels;
        const values = random.normals(of.length, 3, 2);
        const upstream = random.normals(of.length, 0.1);
        const gamma = random.normals(perGroup ? slots : channels, 1);
        const beta = random.normals(slots);
        const exact = referenceSlotMoments(values, of, slots);
        const rounded = Float32Array.from([...exact.mean, ...exact.variance]);
        // A variance of 0, as a single value has, would magnify the rounding of the mean beyond any tolerance.
        const epsilon = 0.5;
        tf.tidy(() => {
          const attributes = { outer: ids.length * rows, channels, inner, groups, epsilon };
          const inputs = { x: tf.tensor1d(values), ids: tf.tensor1d([...ids], 'int32') };
          const [dy, scale, offset] = [tf.tensor1d(upstream), tf.tensor1d(gamma), tf.tensor1d(beta)];
          const packed = run('RebatchMoments', inputs, attributes);
          expect(packed.shape).toEqual([2, groups, channels]);
          expectClose(packed.dataSync().subarray(0, slots), exact.mean, 1e-6, 'mean');
          expectClose(packed.dataSync().subarray(slots), exact.variance, 2e-6, 'variance');

          const moments = tf.tensor1d(rounded);
          const constants = new Map(
            Array.from({ length: slots }, (_, s) => [
              s,
              { mean: rounded[s]!, variance: rounded[slots + s]! },
            ]),
          );
          const options = {
            gamma: Array.from(beta, (_, s) => gamma[perGroup ? s : s % channels]!),
            beta,
            epsilon,
          };
          const counts = { moments: slots, affine: slots };
          const expected = referenceSlotNorm(
            values,
            upstream,
            { moments: of, affine: of, counts },
            { ...options, constants },
          );
          const y = run('RebatchNormalize', { ...inputs, moments, gamma: scale, beta: offset }, attributes);
          expectSame(y.dataSync(), expected.y, 'y');

          const sums = run('RebatchBackwardReduce', { ...inputs, dy, moments }, attributes).dataSync();
          for (let s = 0; s < slots; s++) {
            // A sum may cancel to anything: its error is measured against the size of what was added.
            const bound = 1e-5 * Math.sqrt(exact.count[s]!);
            expect(Math.abs(sums[s]! - expected.dbeta[s]!)).toBeLessThanOrEqual(bound);
            expect(Math.abs(sums[slots + s]! - expected.dgamma[s]!)).toBeLessThanOrEqual(bound);
          }

          const pulls = random.normals(2 * slots);
          const dx = run(
            'RebatchBackwardInput',
            { ...inputs, dy, moments, pulls: tf.tensor1d(pulls), gamma: scale },
            attributes,
          );
          const through = Float64Array.from(values, (value, i) => {
            const slot = of[i]!;
            if (slot < 0) return Number.NaN;
            const deviation = Math.sqrt(rounded[slots + slot]! + epsilon);
            const xhat = (value - rounded[slot]!) / deviation;
            return (
              (upstream[i]! * options.gamma[slot]! - pulls[slot]! - xhat * pulls[slots + slot]!) / deviation
            );
          });
          expectSame(dx.dataSync(), through, 'dx');
        });
      }),
      { numRuns: 150 },
    );
  });

  it('give an empty group sums of 0, even where its deviation is 0', () => {
    tf.tidy(() => {
      for (const inner of [1, 40]) {
        const attributes = { outer: 2, channels: 2, inner, groups: 2, epsilon: 0 };
        const x = tf.ones([2, 2, inner]);
        const ids = tf.tensor1d([1, 1], 'int32');
        const moments = run('RebatchMoments', { x, ids }, attributes);
        expect([...moments.dataSync()]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
        const given = tf.tensor1d([0, 0, 0, 0, 0, 0, 1, 1]);
        const sums = run('RebatchBackwardReduce', { x, dy: x, ids, moments: given }, attributes);
        expect([...sums.dataSync()]).toEqual([0, 0, 2 * inner, 2 * inner, 0, 0, 2 * inner, 2 * inner]);
      }
    });
  });

  it('stay exact where an outlier comes early or late in a group of scattered rows', () => {
    const [blocks, channels] = [600, 20];
    const ids = Array.from({ length: blocks }, () => random.integer(0, 2));
    const layout = { ids, rows: 1, channels, inner: 1, groups: 3 };
    const of = slotsOf(layout);
    for (const at of [0, 3, 290, 599]) {
      const values = random.normals(of.length, 5, 0.01).fill(1e6, at * channels, (at + 1) * channels);
      const { mean, variance } = referenceSlotMoments(values, of, 3 * channels);
      const packed = tf.tidy(() => {
        const inputs = { x: tf.tensor1d(values), ids: tf.tensor1d(ids, 'int32') };
        return run('RebatchMoments', inputs, { outer: blocks, channels, inner: 1, groups: 3 }).dataSync();
      });
      const size = 3 * channels;
      for (let s = 0; s < size; s++) {
        expectClose(packed.subarray(s, s + 1), mean.slice(s, s + 1), 1e-6, `mean, outlier at ${at}`);
        expectClose(
          packed.subarray(size + s, size + s + 1),
          variance.slice(s, s + 1),
          1e-6,
          `variance, outlier at ${at}`,
        );
      }
    }
  });
});

/** Close where a value is expected, NaN where NaN is. */
function expectSame(actual: ArrayLike<number>, expected: Float64Array, what: string): void {
  const known = (values: ArrayLike<number>) =>
    Array.from(values).filter((_, i) => !Number.isNaN(expected[i]!));
  expect(actual.length).toBe(expected.length);
  expectClose(known(actual), known(expected), 1e-5, what);
  expect(Array.from(actual).filter(Number.isNaN).length).toBe(expected.filter(Number.isNaN).length);
}
