// The batch-norm kernels where ids tell the groups: blocks of any size, in any order, in groups of any size.
import { runKernel } from '@rebatch/core/kernels';
import { expectClose, referenceSlotMoments, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, it } from 'vitest';
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
});
