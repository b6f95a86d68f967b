// Batch statistics over normalization batches that are smaller than the batch (Ghost BN, Hoffer et al. 2017).
import {
  InvalidInputError,
  type NormalizeOptions,
  packedBatchNormalize,
  segmentBatchNormalize,
} from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';

/** An output, and the moments that the moving statistics move towards, packed: [2, 1, channels]. */
export interface NormalizedBatch {
  readonly y: tf.Tensor;
  readonly moments: tf.Tensor3D;
}

/** Consecutive normalization batches of one size: so many groups of so many samples each. */
export interface NormalizationBatches {
  readonly groups: number;
  /** Samples per group. */
  readonly size: number;
}

/**
 * Normalizes each run of `size` consecutive samples by its own moments, in one grouped kernel call; left-over samples
 * are a smaller group in it.
 *
 * The moments returned are the means of the groups' means and of their variances, each group weighted by its samples.
 * That is what training on as many devices without synchronization keeps in its EMA; like there, the variance leaves
 * out how far the groups' means lie apart ("Rethinking 'Batch' in BatchNorm", section 3; PreciseBN adds it).
 *
 * @param size samples per normalization batch; undefined for all of them.
 * @throws {NormalizationBatchError} if a channel of a normalization batch has a single value.
 * @throws {InvalidInputError} if samples and channels are one axis, which cannot be split.
 */
export function normalizeInBatches(
  x: tf.Tensor,
  size: number | undefined,
  options: NormalizeOptions,
): NormalizedBatch {
  const samples = x.shape[0]!;
  if (size === undefined || samples <= size) return packedBatchNormalize(x, options);
  const { axis = -1, name } = options;
  if (axis === 0 || axis === -x.rank) {
    throw new InvalidInputError(
      `Layer '${name}': normalizationBatchSize splits the samples along axis 0, which is the channel axis here. ` +
        'Leave it out, or normalize along another axis.',
    );
  }
  const runs = normalizationBatches(samples, size, x.size / (samples * x.shape.at(axis)!));
  if (runs.length > 1) return normalizeInRuns(x, runs, options);
  const [{ groups }] = runs as [NormalizationBatches];
  const { y, moments } = packedBatchNormalize(x, { ...options, groups });
  return { y, moments: tf.mean(moments, 1, true) };
}

/** Groups of several sizes. An id per sample lets one kernel call take them all, where splitting x would copy it. */
function normalizeInRuns(
  x: tf.Tensor,
  runs: readonly NormalizationBatches[],
  options: NormalizeOptions,
): NormalizedBatch {
  const sizes = runs.flatMap(({ groups, size }) => Array<number>(groups).fill(size));
  const ids = Int32Array.from(sizes.flatMap((size, group) => Array<number>(size).fill(group)));
  const { y, mean, variance } = segmentBatchNormalize(x, tf.tensor1d(ids), sizes.length, options);
  const shares = tf.tensor2d(
    sizes.map((size) => size / ids.length),
    [sizes.length, 1],
  );
  const weighted = (of: tf.Tensor) => tf.sum(tf.mul(of, shares), 0, true);
  return { y, moments: tf.stack([weighted(mean), weighted(variance)]) as tf.Tensor3D };
}

/**
 * How `normalizationBatchSize` splits the samples of a batch, in their order: runs of equal groups, the remainder last.
 * A remainder of a single value per channel joins the group before it.
 *
 * @param samples samples in the batch, at least `size`.
 * @param size samples per normalization batch.
 * @param valuesPerSample values per channel in one sample (1 for dense layers, height * width for images).
 */
export function normalizationBatches(
  samples: number,
  size: number,
  valuesPerSample: number,
): readonly NormalizationBatches[] {
  const full = Math.floor(samples / size);
  const rest = samples - full * size;
  if (rest === 0) return [{ groups: full, size }];
  // A remainder with one value per channel would be erased, so it joins the last normalization batch.
  if (rest * valuesPerSample > 1) return [...someRuns(full, size), { groups: 1, size: rest }];
  return [...someRuns(full - 1, size), { groups: 1, size: size + rest }];
}

const someRuns = (groups: number, size: number): NormalizationBatches[] =>
  groups > 0 ? [{ groups, size }] : [];
