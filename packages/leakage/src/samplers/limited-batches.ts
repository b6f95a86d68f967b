import { SamplerError } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import {
  type Batches,
  checkGroupSize,
  checkSampler,
  indicesByKey,
  type Keys,
  type SamplerOptions,
} from './sampler.ts';

/** Options of `limitedBatches`. */
export interface LimitedOptions extends SamplerOptions {
  /** The source of each sample: its image, patient, video, ... */
  readonly by: Keys;
  /** At most so many samples of one source per normalization batch. */
  readonly most: number;
  /** Samples per normalization batch. Default: the whole batch. */
  readonly groupSize?: number;
}

/**
 * Batches that cannot leak much: no normalization batch (`groupSize` samples that follow one another) has more than `most`
 * samples of one source. An epoch fills as many normalization batches as can be, each source's samples spread over them
 * as evenly as can be, at random otherwise; what cannot be placed, drawn anew for every epoch, waits for another one.
 *
 * @throws {SamplerError} at the first batch, if there are too few sources to fill a batch.
 */
export function* limitedBatches(options: LimitedOptions): Batches {
  checkSampler('limitedBatches', options, 'by', 'most', 'groupSize');
  const { by, batchSize, most, groupSize = batchSize, seed = 0 } = options;
  checkGroupSize('limitedBatches', batchSize, groupSize);
  const sources = indicesByKey('limitedBatches', by);
  const perBatch = batchSize / groupSize;
  const perEpoch = mostPerEpoch(sources, groupSize, most);
  if (perEpoch < perBatch) {
    throw new SamplerError(
      `limitedBatches: expected sources enough for ${perBatch} normalization batches of ${groupSize} with at most ${most} ` +
        `of each, got ${sources.length} sources of ${by.length} samples, which fill ${perEpoch}. Use a smaller groupSize or ` +
        'batchSize, or a larger limit.',
    );
  }
  const random = seededRandom(seed);
  for (;;) {
    const epoch = random.shuffle(epochOf(sources, { count: perEpoch, size: groupSize, most }, random));
    for (let start = 0; start + perBatch <= perEpoch; start += perBatch) {
      yield epoch.slice(start, start + perBatch).flat();
    }
  }
}

/**
 * The most normalization batches that the samples can fill: each source has `most` samples for each of them, if it has as
 * many.
 */
function mostPerEpoch(sources: readonly number[][], size: number, most: number): number {
  const fills = (count: number) =>
    sources.reduce((sum, { length }) => sum + Math.min(length, most * count), 0) >= count * size;
  // What is filled grows ever slower with their number, so that there is one place where it falls behind.
  let [low, high] = [0, Math.floor(sources.reduce((sum, { length }) => sum + length, 0) / size)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fills(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** One pass over the samples, in normalization batches. */
function epochOf(
  sources: readonly number[][],
  { count, size, most }: { readonly count: number; readonly size: number; readonly most: number },
  random: Random,
): number[][] {
  const placed = chosen(sources, { from: most * count, total: count * size }, random);
  const epoch: number[][] = Array.from({ length: count }, () => []);
  // All normalization batches get a sample in turn, in a new order each time, so that all are full in the end. A source
  // goes to each of them once before it comes to one again, so that none gets more than most of it.
  const order = epoch.map((_, batch) => batch);
  let turn: number[] = [];
  for (const source of random.shuffle(placed)) {
    const had = new Set<number>();
    for (const sample of source) {
      if (had.size === count) had.clear();
      if (turn.length === 0) turn = random.shuffle(order.slice());
      // There is one: a source that comes in the middle of a turn has had none that is left in it.
      const at = turn.findLastIndex((batch) => !had.has(batch));
      const [batch] = turn.splice(at, 1) as [number];
      had.add(batch);
      epoch[batch]!.push(sample);
    }
  }
  return epoch.map((batch) => random.shuffle(batch));
}

/** At most `from` samples of each source, `total` in all, at random: each source's in a list of its own. */
function chosen(
  sources: readonly number[][],
  { from, total }: { readonly from: number; readonly total: number },
  random: Random,
): number[][] {
  const eligible = sources.map((indices) => random.shuffle(indices.slice()).slice(0, from));
  const tickets = random.shuffle(eligible.flatMap((indices, source) => indices.map(() => source)));
  for (const source of tickets.slice(total)) eligible[source]!.pop();
  return eligible;
}
