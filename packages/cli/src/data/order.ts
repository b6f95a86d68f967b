import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';
import type { SampleRange } from './data.ts';

/**
 * Which sample stands at each position: a shuffle that is the same for the same seed and count, or the samples as they lie.
 * Shuffled, because neighbors in a folder are alike, and what the samples of a batch have in common is part of what is
 * measured.
 */
export function orderOf(count: number, seed: number | null): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (seed === null) return order;
  const generator = mersenne(seed);
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A range in batches. */
export function* batchesOf({ from, to }: SampleRange, batchSize: number): Generator<SampleRange> {
  for (let at = from; at < to; at += batchSize) yield { from: at, to: Math.min(at + batchSize, to) };
}
