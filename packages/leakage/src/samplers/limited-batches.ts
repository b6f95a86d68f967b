import { SamplerError } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import {
  type Batches,
  checkGroups,
  checkWhole,
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
 * Batches that cannot leak much: no normalization batch (run of `groupSize` samples) has more than `most` samples of one
 * source. An epoch takes the samples in a new shuffle, the sources with most samples left first where that is needed to
 * place them all; what cannot be placed waits for another epoch.
 *
 * @throws {SamplerError} at the first batch, if there are too few sources to fill a normalization batch.
 */
export function* limitedBatches(options: LimitedOptions): Batches {
  const { by, batchSize, most, groupSize = batchSize, seed = 0 } = options;
  checkGroups('limitedBatches', batchSize, groupSize);
  checkWhole('limitedBatches', 'most', most);
  const sources = indicesByKey('limitedBatches', by);
  const room = sources.reduce((sum, { length }) => sum + Math.min(length, most), 0);
  if (room < groupSize || by.length < batchSize) {
    throw new SamplerError(
      `limitedBatches: expected sources enough for normalization batches of ${groupSize} with at most ${most} of each, in ` +
        `batches of ${batchSize}; got ${sources.length} sources of ${by.length} samples, with which one has ` +
        `${room}. Use a smaller groupSize or batchSize, or a larger limit.`,
    );
  }
  const random = seededRandom(seed);
  for (;;) {
    const groups = epochOf(sources, groupSize, most, random);
    const perBatch = batchSize / groupSize;
    if (groups.length < perBatch) {
      throw new SamplerError(
        `limitedBatches: an epoch fills ${groups.length} normalization batches of ${groupSize} with at most ${most} of ` +
          `each source, expected ${perBatch} for a batch. Use a smaller batchSize, or a larger limit.`,
      );
    }
    random.shuffle(groups);
    for (let start = 0; start + perBatch <= groups.length; start += perBatch) {
      yield groups.slice(start, start + perBatch).flat();
    }
  }
}

/** One pass over the samples in groups. */
function epochOf(sources: readonly number[][], size: number, most: number, random: Random): number[][] {
  const left = sources.map((indices) => random.shuffle(indices.slice()));
  let remaining = left.reduce((sum, { length }) => sum + length, 0);
  const groups: number[][] = [];
  while (remaining >= size) {
    const group = groupOf(left, size, most, Math.floor(remaining / size), random);
    if (group === undefined) break;
    remaining -= size;
    groups.push(group);
  }
  return groups;
}

/** One group, taken out of what is left; undefined if no longer possible. */
function groupOf(left: number[][], size: number, most: number, groupsLeft: number, random: Random) {
  const order = random.shuffle(left.map((_, source) => source));
  // A source with more left than the groups after this one can take must not wait.
  const urgent = (source: number) => Math.max(0, left[source]!.length - most * (groupsLeft - 1));
  const take = left.map((_, source) => Math.min(most, left[source]!.length, urgent(source)));
  let count = take.reduce((sum, n) => sum + n, 0);
  if (count > size) return fromLargest(left, size, most, random);
  // The others at random, one sample at a time, so that a draw favors whoever has more left.
  const tickets = random.shuffle(
    order.flatMap((source) => left[source]!.slice(take[source]!).map(() => source)),
  );
  for (const source of tickets) {
    if (count === size) break;
    if (take[source]! >= most) continue;
    take[source]!++;
    count++;
  }
  if (count < size) return undefined;
  return random.shuffle(take.flatMap((n, source) => left[source]!.splice(0, n)));
}

/** Where not all can be placed any more: as many groups as possible still come of the largest sources. */
function fromLargest(left: number[][], size: number, most: number, random: Random): number[] | undefined {
  const order = random.shuffle(left.map((_, source) => source));
  order.sort((a, b) => left[b]!.length - left[a]!.length);
  const group: number[] = [];
  for (const source of order) {
    group.push(...left[source]!.splice(0, Math.min(most, size - group.length)));
    if (group.length === size) return random.shuffle(group);
  }
  return undefined;
}
