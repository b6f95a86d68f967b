// Merging the moments of more and more shards.

import { type Moments, mergeAllMoments } from '@rebatch/stats';
import type { ScalingRow } from '../scaling-row.ts';

const CHANNELS = 16;

export const mergeShards: ScalingRow = {
  case: 'mergeAllMoments',
  backend: 'none',
  sizes: [1000, 10_000, 100_000],
  unit: `shards of ${CHANNELS} channels`,
  peer: 'adding them up, once and unchecked',
  target: 1 / 10,
  sides: (count) => {
    const shards = Array.from({ length: count }, (_, shard) => shardOf(shard));
    return {
      ours: { run: () => mergeAllMoments(shards) },
      peer: { run: () => addedUp(shards) },
    };
  },
};

/** Moments of shards of different sizes, from a fixed sequence. */
function shardOf(shard: number): Moments {
  const value = (c: number) => Math.sin((shard + 1) * 12.9898 + c * 78.233);
  return {
    count: 8 + (shard % 5),
    mean: Float64Array.from({ length: CHANNELS }, (_, c) => value(c)),
    variance: Float64Array.from({ length: CHANNELS }, (_, c) => 1 + value(c + CHANNELS)),
  };
}

/** What it takes to look at each value once. */
function addedUp(shards: readonly Moments[]): Float64Array {
  const sums = new Float64Array(2 * CHANNELS);
  for (const { mean, variance } of shards) {
    for (let c = 0; c < CHANNELS; c++) {
      sums[c]! += mean[c]!;
      sums[CHANNELS + c]! += variance[c]!;
    }
  }
  return sums;
}
