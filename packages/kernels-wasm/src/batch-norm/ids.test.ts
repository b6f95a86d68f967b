// The batch-norm kernels where ids tell the groups: blocks of any size, in any order, in groups of any size.
import { runKernel } from '@rebatch/core/kernels';
import { expectClose, referenceSlotMoments, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '../index.ts';

const random = seededRandom(11);

interface Layout {
  readonly ids: readonly number[];
  /** Outer indices per block. */
  readonly rows: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

/** The slot of each value in [groups, channels], -1 for one of no group. */
function slotsOf({ ids, rows, channels, inner, groups }: Layout): number[] {
  return Array.from({ length: ids.length * rows * channels * inner }, (_, i) => {
    const id = ids[Math.floor(i / (rows * channels * inner))]!;
    return id >= 0 && id < groups ? id * channels + (Math.floor(i / inner) % channels) : -1;
  });
}

/** NaN, which belongs to no group, where the other has it. */
function expectCloseOrNone(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const isNone = (values: ArrayLike<number>) => Array.from(values, Number.isNaN);
  expect(isNone(actual)).toEqual(isNone(expected));
  const orZero = (values: ArrayLike<number>) =>
    Array.from(values, (value) => (Number.isNaN(value) ? 0 : value));
  expectClose(orZero(actual), orZero(expected), 2e-5, what);
}

describe('batch-norm kernels by ids', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
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
        return runKernel('moments', inputs, { outer: blocks, channels, inner: 1, groups: 3 }).dataSync();
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

  it.each([
    ['few groups', 300, 3, 4],
    ['many small groups', 400, 150, 8],
    ['groups of two', 64, 32, 12],
    ['groups of one and two', 60, 40, 8],
    ['channels by fours and one more', 200, 20, 5],
  ])(
    'are those of loops, rows of no group and groups of no row among them: %s',
    (_, blocks, groups, channels) => {
      const ids = Array.from({ length: blocks }, () => random.integer(-1, groups + 1));
      const empty = random.integer(0, groups - 1);
      for (let block = 0; block < blocks; block++) if (ids[block] === empty) ids[block] = -1;
      const of = slotsOf({ ids, rows: 1, channels, inner: 1, groups });
      const slots = groups * channels;
      const [x, dy] = [random.normals(of.length, 3, 2), random.normals(of.length, 1, 1)];
      const [gamma, pulls] = [random.normals(channels, 1, 0.2), random.normals(2 * slots, 0, 1)];
      const epsilon = 1e-3;
      const { mean, variance } = referenceSlotMoments(x, of, slots);
      const inverse = Array.from(variance, (v) => 1 / Math.sqrt(v + epsilon));
      const sums = new Float64Array(2 * slots);
      const [y, dx] = [new Float64Array(of.length), new Float64Array(of.length)];
      of.forEach((slot, i) => {
        if (slot < 0) {
          y[i] = Number.NaN;
          dx[i] = Number.NaN;
          return;
        }
        const xhat = (x[i]! - mean[slot]!) * inverse[slot]!;
        const scale = gamma[i % channels]! * inverse[slot]!;
        sums[slot] = sums[slot]! + dy[i]!;
        sums[slots + slot] = sums[slots + slot]! + dy[i]! * xhat;
        y[i] = xhat * gamma[i % channels]!;
        dx[i] = dy[i]! * scale - (pulls[slot]! + xhat * pulls[slots + slot]!) * inverse[slot]!;
      });
      tf.tidy(() => {
        const given = { x: tf.tensor1d(x), ids: tf.tensor1d(ids, 'int32') };
        const shape = { outer: blocks, channels, inner: 1, groups };
        const packed = runKernel('moments', given, { ...shape, rest: true });
        const [means, variances, rests] = tf.unstack(packed).map((part) => part.dataSync());
        expectClose(means!, mean, 1e-6, 'mean');
        expectClose(variances!, variance, 1e-6, 'variance');
        expectClose(
          Float64Array.from(means!, (value, s) => value + rests![s]!),
          mean,
          1e-12,
          'mean and rest',
        );
        const moments = tf.slice(packed, [0, 0, 0], [2, groups, channels]);
        const back = { ...given, dy: tf.tensor1d(dy), moments, gamma: tf.tensor1d(gamma) };
        const attributes = { ...shape, epsilon };
        expectCloseOrNone(runKernel('normalize', back, attributes).dataSync(), y, 'y');
        expectClose(runKernel('backwardReduce', back, attributes).dataSync(), sums, 5e-5, 'sums');
        const pulled = { ...back, pulls: tf.tensor3d(pulls, [2, groups, channels]) };
        expectCloseOrNone(runKernel('backwardInput', pulled, attributes).dataSync(), dx, 'dx');
      });
    },
  );
});
