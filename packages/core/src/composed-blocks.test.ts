// Both ways to sum blocks by ids, against plain loops: what backends have that can read ids at once, and all others.
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockGroups } from './composed-blocks.ts';
import { groupsByMembers } from './composed-members.ts';
import { groupsBySorting } from './composed-sorted.ts';

const WAYS: Readonly<Record<string, (ids: readonly number[], groups: number) => BlockGroups>> = {
  groupsBySorting,
  groupsByMembers: (ids, groups) => groupsByMembers(tf.tensor1d([...ids], 'int32'), groups),
};

/** Groups of none, of one and of more blocks than one round of sums takes, and ids of no group. */
const layouts = fc.integer({ min: 1, max: 5 }).chain((groups) =>
  fc.record({
    groups: fc.constant(groups),
    ids: fc.array(fc.integer({ min: -1, max: groups }), { minLength: 1, maxLength: 150 }),
  }),
);

const CHANNELS = 3;
const random = seededRandom(7);

/** The sums of the rows of each group, in float64. */
function sumsOf(rows: ArrayLike<number>, ids: readonly number[], groups: number): number[] {
  const sums = new Array(groups * CHANNELS).fill(0);
  ids.forEach((id, block) => {
    if (id < 0 || id >= groups) return;
    for (let c = 0; c < CHANNELS; c++) sums[id * CHANNELS + c] += rows[block * CHANNELS + c]!;
  });
  return sums;
}

describe.each(Object.entries(WAYS))('%s', (_, groupsBy) => {
  const run = <T extends tf.TensorContainer>(
    ids: readonly number[],
    groups: number,
    fn: (of: BlockGroups) => T,
  ): T => tf.tidy(() => fn(groupsBy(ids, groups)));

  it('counts and sums by group, and names the row of each block', () => {
    fc.assert(
      fc.property(layouts, ({ ids, groups }) => {
        const rows = random.normals(ids.length * CHANNELS);
        const perGroup = random.normals(groups * CHANNELS);
        const { sizes, sums, named } = run(ids, groups, (of) => ({
          sizes: of.sizes,
          sums: of.sum(tf.tensor2d(rows, [ids.length, CHANNELS])),
          named: of.rowsFor(tf.tensor2d(perGroup, [groups, CHANNELS])),
        }));
        expect([...sizes.dataSync()]).toEqual(
          Array.from({ length: groups }, (_, group) => ids.filter((id) => id === group).length),
        );
        expectClose(sums.dataSync(), sumsOf(rows, ids, groups), 1e-5);
        const expected = ids.flatMap((id) =>
          Array.from({ length: CHANNELS }, (_, c) => perGroup[id * CHANNELS + c] ?? Number.NaN),
        );
        expect([...named.dataSync()]).toEqual(expected);
        tf.dispose([sizes, sums, named]);
      }),
    );
  });

  it('has gradients that are each other’s op, and theirs in turn', () => {
    const [ids, groups] = [[2, 0, -1, 2, 2, 3], 4];
    const rows = random.normals(ids.length * CHANNELS);
    const dy = random.normals(groups * CHANNELS);
    const [dRows, dSums] = run(ids, groups, (of) => {
      const at = tf.tensor2d(rows, [ids.length, CHANNELS]);
      const of2d = tf.tensor2d(dy, [groups, CHANNELS]);
      const ofRows = (along: tf.Tensor) => tf.grad((r) => of.sum(r as tf.Tensor2D))(at, along);
      // Linear in `along`: its gradient for ones is the sum of ones by group.
      return [ofRows(of2d), tf.grad((along) => ofRows(along))(of2d, tf.onesLike(at))];
    }) as [tf.Tensor, tf.Tensor];
    const expected = ids.flatMap((id) =>
      Array.from({ length: CHANNELS }, (_, c) => (id < 0 ? 0 : dy[id * CHANNELS + c]!)),
    );
    const got = dRows.dataSync();
    ids.forEach((id, block) => {
      const own = [block * CHANNELS, (block + 1) * CHANNELS] as const;
      if (id >= 0) expectClose(got.slice(...own), expected.slice(...own), 1e-6);
      // A block of no group has no gradient; one that is NaN (of the row that it has in rowsFor) would be none either.
      else for (const value of got.slice(...own)) expect(value === 0 || Number.isNaN(value)).toBe(true);
    });
    expectClose(dSums.dataSync(), sumsOf(new Array(rows.length).fill(1), ids, groups), 1e-6);
    tf.dispose([dRows, dSums]);
  });

  it('keeps a value that is not finite to its own group', () => {
    const rows = random.normals(4 * CHANNELS).fill(Number.POSITIVE_INFINITY, 0, 1);
    const sums = run([1, 0, 1, 0], 2, (of) => of.sum(tf.tensor2d(rows, [4, CHANNELS])));
    expect(Array.from(sums.dataSync(), Number.isFinite)).toEqual([true, true, true, false, true, true]);
    sums.dispose();
  });

  it('leaks nothing', async () => {
    await expectNoLeaks(tf, () => {
      run([1, 0, 1], 2, (of) => of.sum(tf.ones([3, CHANNELS]))).dispose();
    });
  });
});
