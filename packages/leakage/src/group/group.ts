/** Replicas that add up numbers: all that synchronized layers and data-parallel training ask of each other. */

/**
 * One replica's place in a group. Every replica calls the same methods in the same order, with as many values; a call
 * returns when all have made it. Synchronous, because a layer's call is.
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
   * @throws {ReplicaError} if a replica has ended the work of the group.
   */
  allReduceSum(values: Float64Array | Float32Array): void;
}

/** A group of one: every sum is what it was. */
export const soloGroup: Group = { rank: 0, size: 1, allReduceSum: () => {} };

/** What every replica gave, by rank, in one round: each has a place of its own in what is added up. */
export function gather(group: Group, own: Float64Array): Float64Array[] {
  const all = new Float64Array(group.size * own.length);
  all.set(own, group.rank * own.length);
  group.allReduceSum(all);
  return Array.from({ length: group.size }, (_, rank) =>
    all.subarray(rank * own.length, (rank + 1) * own.length),
  );
}
