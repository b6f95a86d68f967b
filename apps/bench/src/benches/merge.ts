// Merging moments on the host: what it costs to have the checks and the accuracy, against the textbook's loop.

import { type Moments, mergeAllMoments, mergeMoments, momentsOf } from '@rebatch/stats';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';

const SHARDS = 100;

export const merge: Bench = {
  name: 'merge',
  summary: 'merges the moments of 100 shards, against a plain loop of the same formula without any checks',
  cases: () => [16, 256].flatMap((channels) => [oneByOne(channels), allAtOnce(channels)]),
};

function oneByOne(channels: number): BenchCase {
  return {
    ...label('mergeMoments, one by one', channels),
    measure: () => {
      const parts = shards(channels);
      return measure({ run: () => parts.reduce(mergeMoments) }, { run: () => parts.reduce(textbookMerge) });
    },
  };
}

function allAtOnce(channels: number): BenchCase {
  return {
    ...label('mergeAllMoments', channels),
    measure: () => {
      const parts = shards(channels);
      return measure({ run: () => mergeAllMoments(parts) }, { run: () => parts.reduce(textbookMerge) });
    },
  };
}

const label = (name: string, channels: number) => ({
  case: name,
  backend: 'none',
  shape: `${SHARDS}x${channels}`,
  peer: 'a plain loop',
  note: 'The peer checks nothing: not that channels agree, that counts and variances can be, or that sums do not overflow.',
});

/** Chan, Golub & LeVeque's formula as it is usually written. */
function textbookMerge(a: Moments, b: Moments): Moments {
  const count = a.count + b.count;
  const mean = new Float64Array(a.mean.length);
  const variance = new Float64Array(a.mean.length);
  for (let c = 0; c < mean.length; c++) {
    const delta = b.mean[c]! - a.mean[c]!;
    mean[c] = a.mean[c]! + (delta * b.count) / count;
    const squares = a.variance[c]! * a.count + b.variance[c]! * b.count;
    variance[c] = (squares + (delta * delta * a.count * b.count) / count) / count;
  }
  return { count, mean, variance };
}

/** Moments of shards of different sizes, from a fixed sequence. */
function shards(channels: number): Moments[] {
  return Array.from({ length: SHARDS }, (_, shard) => {
    const values = Float64Array.from({ length: channels * (8 + (shard % 5)) }, (_, at) =>
      Math.sin((shard + 1) * 12.9898 + at * 78.233),
    );
    return momentsOf(values, { channels });
  });
}
