import { SamplerError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import {
  type Batches,
  checkGroupSize,
  checkSampler,
  indicesByKey,
  type Keys,
  type SamplerOptions,
} from './sampler.ts';

/** Options of `groupedBatches`. */
export interface GroupedOptions extends SamplerOptions {
  /** The label of each sample for class-grouped batches, its source for source-grouped ones. */
  readonly by: Keys;
  /** Samples per normalization batch, all with one key. Default: the whole batch. */
  readonly groupSize?: number;
}

/**
 * Batches that leak: in each normalization batch, `groupSize` samples that follow one another, all share a label
 * (class-grouped batches, section 6.1 of "Rethinking 'Batch' in BatchNorm") or a source, such as the regions of one image.
 * Each key takes part as often as it has samples to fill normalization batches with: an epoch takes them in a new
 * shuffle, and leaves out what does not fill a normalization batch or a batch.
 *
 * @throws {SamplerError} at the first batch, if normalization batches do not fill a batch, or there are too few of them.
 */
export function* groupedBatches(options: GroupedOptions): Batches {
  checkSampler('groupedBatches', options, 'by', 'groupSize');
  const { by, batchSize, groupSize = batchSize, seed = 0 } = options;
  checkGroupSize('groupedBatches', batchSize, groupSize);
  const keys = indicesByKey('groupedBatches', by);
  const perBatch = batchSize / groupSize;
  const available = keys.reduce((sum, { length }) => sum + Math.floor(length / groupSize), 0);
  if (available < perBatch) {
    throw new SamplerError(
      `groupedBatches: expected samples enough for ${perBatch} normalization batches of ${groupSize} of one key each, got ` +
        `${by.length} samples of ${keys.length} keys, which fill ${available}. Use a smaller groupSize or batchSize.`,
    );
  }
  const random = seededRandom(seed);
  for (;;) {
    const epoch = random.shuffle(keys.flatMap((indices) => cut(random.shuffle(indices), groupSize)));
    for (let start = 0; start + perBatch <= epoch.length; start += perBatch) {
      yield epoch.slice(start, start + perBatch).flat();
    }
  }
}

/** Consecutive parts of that size; the rest is left out. */
function cut(indices: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.floor(indices.length / size) }, (_, i) =>
    indices.slice(i * size, (i + 1) * size),
  );
}
