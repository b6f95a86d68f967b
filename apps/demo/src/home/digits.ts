// What each digit alone makes of every channel, and what batches of digits make of them: means over means, exactly.

import { type Histogram, histogramOf } from '../data/histogram.ts';
import { type Block, EPSILON, type Forward, forward, type PlainNetwork } from './network.ts';

/** One digit's share in the statistics of a batch. */
export interface DigitLook {
  /** Per block and channel: the mean of what goes into its batch normalization. */
  readonly means: readonly Float64Array[];
  readonly probabilities: Float64Array;
  /** Of the channel that is watched. */
  readonly histogram: Histogram;
}

/** The channel whose histogram is shown. */
export interface Watched {
  readonly block: number;
  readonly channel: number;
}

/** A batch as the network sees it. */
export interface BatchLook {
  /** Per block and channel: how far the batch's mean is from the stored one, in stored standard deviations. */
  readonly shifts: readonly Float64Array[];
  readonly probabilities: Float64Array;
  readonly histogram: Histogram;
}

export function lookAt(network: PlainNetwork, pixels: Uint8Array, watched: Watched): DigitLook {
  const { normalized, probabilities }: Forward = forward(network, pixels);
  const means = network.blocks.map(({ channels }, at) => {
    const values = normalized[at] as Float32Array;
    const sums = new Float64Array(channels);
    for (let i = 0; i < values.length; i++) sums[i % channels]! += values[i] as number;
    return sums.map((sum) => (sum * channels) / values.length);
  });
  const block = network.blocks[watched.block] as Block;
  const own = (normalized[watched.block] as Float32Array).filter(
    (_, i) => i % block.channels === watched.channel,
  );
  const mean = block.mean[watched.channel] as number;
  return { means, probabilities, histogram: histogramOf(own, mean, deviationOf(block, watched.channel)) };
}

/** @param digits at least one; every digit has as many values as any other, so that a batch's mean is the mean of theirs. */
export function batchOf(network: PlainNetwork, digits: readonly DigitLook[]): BatchLook {
  const average = (read: (digit: DigitLook) => Float64Array) => {
    const result = new Float64Array(read(digits[0] as DigitLook).length);
    for (const digit of digits) {
      const values = read(digit);
      for (let i = 0; i < result.length; i++) result[i]! += (values[i] as number) / digits.length;
    }
    return result;
  };
  return {
    shifts: network.blocks.map((block, at) =>
      average(({ means }) => means[at] as Float64Array).map(
        (mean, c) => (mean - (block.mean[c] as number)) / deviationOf(block, c),
      ),
    ),
    probabilities: average(({ probabilities }) => probabilities),
    histogram: average(({ histogram }) => histogram),
  };
}

const deviationOf = ({ variance }: Block, channel: number) =>
  Math.sqrt((variance[channel] as number) + EPSILON);

/** So many of the numbers below `count`, each once. @param random gives numbers from 0 to below 1. */
export function draw(count: number, size: number, random: () => number): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: Math.min(size, count) }, (_, i) => {
    const other = i + Math.floor(random() * (count - i));
    [all[i], all[other]] = [all[other] as number, all[i] as number];
    return all[i] as number;
  });
}
