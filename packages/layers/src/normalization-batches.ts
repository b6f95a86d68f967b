// Which samples of a batch are normalized together by batch statistics.
import type { StatisticsSettings } from './settings.ts';

/** Which samples of a batch are normalized together. Each normalization batch has at least one sample. */
export interface NormalizationBatches {
  /** How many normalization batches there are. */
  readonly count: number;
  /** For each sample, the number of its normalization batch, from 0. Absent: consecutive samples, equally many in each. */
  readonly of?: Int32Array;
}

/**
 * Which samples of a batch are normalized together, for any batch.
 *
 * @param samples in the batch.
 * @param valuesPerSample values per channel in one sample: height * width for images, 1 for dense layers.
 */
export type ChooseBatches = (samples: number, valuesPerSample: number) => NormalizationBatches;

/** All samples of a batch together. */
export const WHOLE_BATCH: NormalizationBatches = { count: 1 };

/** The normalization batches that a layer is set to. */
export function batchesOfSize(
  settings: Pick<StatisticsSettings, 'normalizationBatchSize' | 'normalizationBatchOrder'>,
  samples: number,
  valuesPerSample: number,
): NormalizationBatches {
  const split = settings.normalizationBatchOrder === 'strided' ? stridedBatches : consecutiveBatches;
  return split(samples, settings.normalizationBatchSize, valuesPerSample);
}

/**
 * As many normalization batches as of `size` consecutive samples, but of every so many-th sample each: they differ by one
 * sample at most.
 */
export function stridedBatches(
  samples: number,
  size: number | undefined,
  valuesPerSample: number,
): NormalizationBatches {
  const { count } = consecutiveBatches(samples, size, valuesPerSample);
  if (count === 1) return WHOLE_BATCH;
  return { count, of: Int32Array.from({ length: samples }, (_, sample) => sample % count) };
}

/**
 * Normalization batches of `size` consecutive samples. Left-over samples are a smaller one of their own; only if that
 * would have a single value per channel, which normalizing would erase, they join the one before.
 *
 * @param samples in the batch.
 * @param size samples per normalization batch; undefined for all of them.
 * @param valuesPerSample values per channel in one sample (1 for dense layers, height * width for images).
 */
export function consecutiveBatches(
  samples: number,
  size: number | undefined,
  valuesPerSample: number,
): NormalizationBatches {
  if (size === undefined || samples <= size) return WHOLE_BATCH;
  const full = Math.floor(samples / size);
  const rest = samples % size;
  if (rest === 0) return { count: full };
  const count = rest * valuesPerSample > 1 ? full + 1 : full;
  return {
    count,
    of: Int32Array.from({ length: samples }, (_, sample) => Math.min(Math.floor(sample / size), count - 1)),
  };
}

/** How many samples each normalization batch has, and the number of the one that each sample is of. */
export function samplesIn(
  { count, of }: NormalizationBatches,
  samples: number,
): { readonly sizes: Float64Array; readonly numbers: Int32Array } {
  const numbers = of ?? Int32Array.from({ length: samples }, (_, i) => Math.floor((i * count) / samples));
  const sizes = new Float64Array(count);
  for (const batch of numbers) sizes[batch]! += 1;
  return { sizes, numbers };
}
