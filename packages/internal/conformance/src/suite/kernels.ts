// The four kernels one by one: registered ones where the backend has them, else what is composed in their place. Every
// shape of loop, with groups of consecutive samples and by ids.
import { type Grouping, kernelCalls as kernels } from '@rebatch/core/~internal';
import { KERNELS } from '@rebatch/core/kernels';
import { expectClose, referenceSlotMoments, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const random = seededRandom(7);

interface Blocks {
  /** The group of each block; where ids are not used, each block is one group. */
  readonly ids: readonly number[];
  readonly useIds: boolean;
  /** Outer indices per block. */
  readonly rows: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

const sizeOf = ({ ids, rows, channels, inner }: Blocks) => ids.length * rows * channels * inner;

/** Flat and tall blocks, with and without a rest; vector widths and what is beside them; short runs, long runs. */
const blocks: fc.Arbitrary<Blocks> = fc
  .record({
    rows: fc.oneof(fc.constantFrom(1, 2, 7, 31, 32, 33), fc.integer({ min: 1, max: 90 })),
    channels: fc.oneof(fc.constantFrom(1, 2, 3, 4, 8, 16, 17, 33, 65, 260), fc.integer({ min: 1, max: 70 })),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 40 }), fc.constantFrom(64, 515)),
    groups: fc.integer({ min: 1, max: 5 }),
    useIds: fc.boolean(),
  })
  .chain((sizes) => {
    if (!sizes.useIds)
      return fc.constant({ ...sizes, ids: Array.from({ length: sizes.groups }, (_, g) => g) });
    const known = fc.integer({ min: 0, max: sizes.groups - 1 });
    const stray = fc.constantFrom(-1, sizes.groups, 2 ** 31 - 1, -(2 ** 31));
    const id = fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: stray });
    const count = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 200 }));
    return count
      .chain((length) => fc.array(id, { minLength: length, maxLength: length }))
      .map((ids) => ({ ...sizes, ids }));
  })
  .filter((layout) => sizeOf(layout) < 50_000);

/** The slot of each value in [groups, channels], -1 for one of no group. */
function slotsOf(layout: Blocks): number[] {
  const { ids, rows, channels, inner, groups } = layout;
  return Array.from({ length: sizeOf(layout) }, (_, i) => {
    const id = ids[Math.floor(i / (rows * channels * inner))]!;
    return id >= 0 && id < groups ? id * channels + (Math.floor(i / inner) % channels) : -1;
  });
}

const groupingOf = ({ ids, useIds, rows, channels, inner, groups }: Blocks): Grouping => ({
  outer: ids.length * rows,
  channels,
  inner,
  groups,
  ...(useIds && { ids: tf.tensor1d([...ids], 'int32') }),
});

const read = (tensor: tf.Tensor) => tensor.data<'float32'>();

/** How often a property is tried: composed ops take longer, and webgl compiles programs for every new shape. */
function runs(): number {
  const backend = tf.getBackend();
  const composed = tf.getKernel(KERNELS.moments, backend) === undefined;
  if (['cpu', 'wasm'].includes(backend)) return composed ? 30 : 150;
  return composed ? 4 : 24;
}

/** Declares the tests for the backend that is current when they run. */
export function describeKernels(): void {
  describe('the four kernels', () => {
    test('moments are those of a float64 loop', async () => {
      await fc.assert(
        fc.asyncProperty(blocks, fc.constantFrom(0, 3, -50), async (layout, center) => {
          const slots = layout.groups * layout.channels;
          const values = random.normals(sizeOf(layout), center, 2);
          const exact = referenceSlotMoments(values, slotsOf(layout), slots);
          const grouping = groupingOf(layout);
          const x = tf.tensor1d(values);
          const packed = kernels.moments({ x, grouping });
          expect(packed.shape).toEqual([2, layout.groups, layout.channels]);
          const got = await read(packed);
          for (let s = 0; s < slots; s++) {
            const [mean, variance] = [exact.mean[s]!, exact.variance[s]!];
            // A mean near 0 is the difference of larger numbers: it is as exact as the spread of the values allows.
            const scale = Math.max(Math.abs(mean), Math.sqrt(variance));
            expect(Math.abs(got[s]! - mean)).toBeLessThanOrEqual(1e-6 * scale);
            expect(Math.abs(got[slots + s]! - variance)).toBeLessThanOrEqual(2e-6 * variance);
          }
          tf.dispose([x, packed, grouping.ids ?? []]);
        }),
        { numRuns: runs() },
      );
    });

    test('the rest of the means holds the digits that float32 has not', async () => {
      await fc.assert(
        fc.asyncProperty(blocks, fc.constantFrom(3, -1e4), async (layout, center) => {
          const slots = layout.groups * layout.channels;
          const values = random.normals(sizeOf(layout), center, 2);
          const exact = referenceSlotMoments(values, slotsOf(layout), slots);
          const grouping = groupingOf(layout);
          const x = tf.tensor1d(values);
          const [packed, plain] = [
            kernels.moments({ x, grouping, rest: true }),
            kernels.moments({ x, grouping }),
          ];
          expect(packed.shape).toEqual([3, layout.groups, layout.channels]);
          const got = await read(packed);
          expect([...got.subarray(0, 2 * slots)]).toEqual([...(await read(plain))]);
          for (let s = 0; s < slots; s++) {
            const error = Math.abs(got[s]! + got[2 * slots + s]! - exact.mean[s]!);
            expect(error).toBeLessThanOrEqual(
              1e-6 * Math.sqrt(exact.variance[s]!) + 1e-11 * Math.abs(center),
            );
          }
          tf.dispose([x, packed, plain, grouping.ids ?? []]);
        }),
        { numRuns: Math.ceil(runs() / 2) },
      );
    });

    test('moments with the rests of their means normalize as those without', async () => {
      await fc.assert(
        fc.asyncProperty(blocks, async (layout) => {
          const grouping = groupingOf(layout);
          const x = tf.tensor1d(random.normals(sizeOf(layout), 3, 2));
          const packed = [true, false].map((rest) => kernels.moments({ x, grouping, rest }));
          const [y, same] = packed.map((moments) =>
            kernels.normalize({ x, moments, grouping, epsilon: 1e-3 }),
          ) as [tf.Tensor, tf.Tensor];
          expect([...(await read(y))]).toEqual([...(await read(same))]);
          tf.dispose([x, packed, y, same, grouping.ids ?? []]);
        }),
        { numRuns: Math.ceil(runs() / 10) },
      );
    });

    test('normalizing and its gradients are those of a float64 loop', async () => {
      const options = fc.record({ epsilon: fc.constantFrom(1e-3, 0.5), perGroup: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(blocks, options, (layout, how) => checkMaps(layout, how.epsilon, how.perGroup)),
        { numRuns: runs() },
      );
    });

    test('an empty group has sums of 0, even where its deviation is 0', async () => {
      for (const inner of [1, 40]) {
        const x = tf.ones([2, 2, inner]);
        const ids = tf.tensor1d([1, 1], 'int32');
        const grouping = { outer: 2, channels: 2, inner, groups: 2, ids };
        const moments = kernels.moments({ x, grouping });
        expect([...(await read(moments))]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
        const given = tf.tensor3d([0, 0, 0, 0, 0, 0, 1, 1], [2, 2, 2]);
        const sums = kernels.backwardReduce({ dy: x, x, moments: given, grouping, epsilon: 0 });
        const expected = [0, 0, 2 * inner, 2 * inner, 0, 0, 2 * inner, 2 * inner];
        expectClose(await read(sums), expected, 1e-6);
        tf.dispose([x, ids, moments, given, sums]);
      }
    });
  });
}

async function checkMaps(layout: Blocks, epsilon: number, perGroup: boolean): Promise<void> {
  const { channels, groups } = layout;
  const slots = groups * channels;
  const of = slotsOf(layout);
  const values = random.normals(of.length, 0.5, 2);
  const upstream = random.normals(of.length, 0.1);
  const [gamma, beta] = [random.normals(perGroup ? slots : channels, 1), random.normals(slots)];
  const gammaOf = (slot: number) => gamma[perGroup ? slot : slot % channels]!;
  const exact = referenceSlotMoments(values, of, slots);
  // The kernels see float32 moments and sums; so does the reference, to compare arithmetic alone.
  const rounded = Float32Array.from([...exact.mean, ...exact.variance]);
  const constants = new Map(
    Array.from({ length: slots }, (_, s) => [s, { mean: rounded[s]!, variance: rounded[slots + s]! }]),
  );
  const counts = { moments: slots, affine: slots };
  const expected = referenceSlotNorm(
    values,
    upstream,
    { moments: of, affine: of, counts },
    { gamma: Array.from({ length: slots }, (_, s) => gammaOf(s)), beta, epsilon, constants },
  );

  const grouping = groupingOf(layout);
  const [x, dy] = [tf.tensor1d(values), tf.tensor1d(upstream)];
  const moments = tf.tensor3d(rounded, [2, groups, channels]);
  const scale = tf.tensor(gamma, perGroup ? [groups, channels] : [channels]);
  const offset = tf.tensor(beta, [groups, channels]);
  const y = kernels.normalize({ x, moments, gamma: scale, beta: offset, grouping, epsilon });
  expect(y.shape).toEqual(x.shape);
  expectSame(await read(y), expected.y, 'y');

  const sums = kernels.backwardReduce({ dy, x, moments, grouping, epsilon });
  expect(sums.shape).toEqual([2, groups, channels]);
  const got = await read(sums);
  for (let s = 0; s < slots; s++) {
    // A sum may cancel to anything: its error is measured against the size of what was added.
    const bound = 1e-5 * Math.sqrt(exact.count[s]!);
    expect(Math.abs(got[s]! - expected.dbeta[s]!)).toBeLessThanOrEqual(bound);
    expect(Math.abs(got[slots + s]! - expected.dgamma[s]!)).toBeLessThanOrEqual(bound);
  }

  const pull = got.map((sum, i) => (sum * gammaOf(i % slots)) / Math.max(1, exact.count[i % slots]!));
  const pulls = tf.tensor3d(pull, [2, groups, channels]);
  const dx = kernels.backwardInput({ dy, x, moments, pulls, gamma: scale, grouping, epsilon });
  expect(dx.shape).toEqual(x.shape);
  // Over few values the terms of dx all but cancel, so each is compared in the size of its terms.
  let worst = 0;
  for (const [i, value] of (await read(dx)).entries()) {
    const slot = of[i]!;
    if (slot < 0) {
      expect(value).toBeNaN();
      continue;
    }
    const deviation = Math.sqrt(rounded[slots + slot]! + epsilon);
    const xhat = (values[i]! - rounded[slot]!) / deviation;
    const terms = [upstream[i]! * gammaOf(slot), -pull[slot]!, -xhat * pull[slots + slot]!];
    const size = terms.reduce((total, term) => total + Math.abs(term), 0) / deviation;
    worst = Math.max(worst, Math.abs(value - (terms[0]! + terms[1]! + terms[2]!) / deviation) / size);
  }
  expect(worst).toBeLessThanOrEqual(2e-6);
  tf.dispose([x, dy, moments, scale, offset, y, sums, pulls, dx, grouping.ids ?? []]);
}

/** Close where a value is expected, NaN where NaN is. */
function expectSame(actual: ArrayLike<number>, expected: Float64Array, what: string): void {
  const known = (values: ArrayLike<number>) =>
    Array.from(values).filter((_, i) => !Number.isNaN(expected[i]!));
  expect(actual.length).toBe(expected.length);
  expectClose(known(actual), known(expected), 1e-5, what);
  expect(Array.from(actual).filter(Number.isNaN).length).toBe(expected.filter(Number.isNaN).length);
}
