import { SamplerError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { type Batches, checkGroups, indicesByKey, type Keys, type SamplerOptions } from './sampler.ts';

/** Options of `groupedBatches`. */
export interface GroupedOptions extends SamplerOptions {
  /** The label of each sample for class-grouped batches, its source for source-grouped ones. */
  readonly by: Keys;
  /** Samples per normalization batch, all with one key. Default: the whole batch. */
  readonly groupSize?: number;
}

/**
 * Batches that leak: each run of `groupSize` samples shares a label (class-grouped batches, section 6.1 of "Rethinking
 * 'Batch' in BatchNorm") or a source, such as the regions of one image. Each key takes part as often as it has samples
 * to fill groups with: an epoch takes them in a new shuffle, and leaves out what does not fill a group or a batch.
 *
 * @throws {SamplerError} at the first batch, if groups do not fill a batch, or an epoch would not.
 */
export function* groupedBatches(options: GroupedOptions): Batches {
  const { by, batchSize, groupSize = batchSize, seed = 0 } = options;
  checkGroups('groupedBatches', batchSize, groupSize);
  const keys = indicesByKey('groupedBatches', by);
  const perBatch = batchSize / groupSize;
  const available = keys.reduce((sum, { length }) => sum + Math.floor(length / groupSize), 0);
  if (available < perBatch) {
    throw new SamplerError(
      `groupedBatches: expected enough samples of one key each for ${perBatch} groups of ${groupSize}, got ` +
        `${available} groups. Use a smaller groupSize or batchSize.`,
    );
  }
  const random = seededRandom(seed);
  for (;;) {
    const groups = random.shuffle(keys.flatMap((indices) => cut(random.shuffle(indices), groupSize)));
    for (let start = 0; start + perBatch <= groups.length; start += perBatch) {
      yield groups.slice(start, start + perBatch).flat();
    }
  }
}

/** Consecutive runs of that size; the rest is left out. */
function cut(indices: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.floor(indices.length / size) }, (_, i) =>
    indices.slice(i * size, (i + 1) * size),
  );
}
