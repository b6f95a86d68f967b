// All that synchronized layers ask of the replicas that train together: to add up numbers.
import { callable, checkValue, integer } from '@rebatch/stats/~internal';
import { GroupError } from '../errors.ts';

/**
 * The replicas that train the same weights together, as one of them sees them. Every replica calls the same methods in
 * the same order, with as many values; a call returns when all have made it. Synchronous, because a layer's call is.
 */
export interface Group {
  /** This replica's number, from 0. */
  readonly rank: number;
  /** How many replicas there are. */
  readonly size: number;
  /**
   * Puts the sum over all replicas in the place of each value. Added up in float64 in the order of ranks, so that all
   * replicas get the same bits.
   *
   * @throws {GroupError} if replicas reduce different numbers of values.
   * @throws what an implementation throws where another replica fails, such as `ReplicaError` of `@rebatch/replicas`.
   */
  allReduceSum(values: Float64Array | Float32Array): void;
}

/** @throws {GroupError} unless a value is a place in a group. */
export function checkGroup(who: string, group: Group): void {
  const { rank, size, allReduceSum } = (group ?? {}) as Partial<Group>;
  checkValue(who, "the group's size", size, integer({ least: 1 }), GroupError);
  checkValue(who, "the group's rank", rank, integer({ least: 0, most: size! - 1 }), GroupError);
  checkValue(who, "the group's allReduceSum", allReduceSum, callable(), GroupError);
}

/** A replica that trains alone: every sum is what it was. */
export const soloGroup: Group = { rank: 0, size: 1, allReduceSum: () => {} };

/** What every replica has, by rank, in one sum: each brings zeros but for a place of its own. */
export function gather(group: Group, own: Float64Array): Float64Array[] {
  const all = new Float64Array(group.size * own.length);
  all.set(own, group.rank * own.length);
  group.allReduceSum(all);
  return Array.from({ length: group.size }, (_, rank) =>
    all.subarray(rank * own.length, (rank + 1) * own.length),
  );
}
