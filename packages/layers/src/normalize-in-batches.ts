// Normalizing by batch statistics: each normalization batch by its own moments.
import {
  InvalidInputError,
  NormalizationBatchError,
  type NormalizeOptions,
  type SingleValueOptions,
  segmentBatchNormalize,
} from '@rebatch/core';
import { packedBatchNormalize, readsWithoutStalling } from '@rebatch/core/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { type NormalizationBatches, samplesIn } from './normalization-batches.ts';

/** What there is to know beside the normalization batches. */
export interface InBatchesOptions extends NormalizeOptions, SingleValueOptions {
  /** Which steps of x count, bool: the others are normalized, and are no part of the moments. Default: all. */
  readonly mask?: tf.Tensor | undefined;
}

/** What normalizing by batch statistics gives. */
export interface NormalizedBatch {
  readonly y: tf.Tensor;
  /**
   * The means over the normalization batches of their means and of their variances, each weighted by its samples (by its
   * values that count, where there is a mask): [2, 1, channels]. That is what training on as many devices without
   * synchronization keeps in its EMA; like there, the variance leaves out how far the batches' means lie apart
   * ("Rethinking 'Batch' in BatchNorm", section 3; PreciseBN adds it).
   */
  readonly moments: tf.Tensor3D;
  /** Where there is a mask, the values per channel that count, in all: a scalar. If it is 0, so are the moments. */
  readonly counted?: tf.Tensor;
}

/**
 * Normalizes each normalization batch by its own moments, in one grouped kernel call.
 *
 * @throws {NormalizationBatchError} if a channel of a normalization batch has a single value, unless `singleValue` says
 *   otherwise. With a mask, on backends that would have to wait for it, the outputs of such a batch are NaN instead.
 * @throws {InvalidInputError} if samples and channels are one axis, which cannot be split.
 */
export function normalizeInBatches(
  x: tf.Tensor,
  batches: NormalizationBatches,
  options: InBatchesOptions,
): NormalizedBatch {
  const { mask, axis = -1, name } = options;
  const splits = batches.count > 1 || mask !== undefined;
  if (splits && (axis === 0 || axis === -x.rank)) {
    throw new InvalidInputError(
      `Layer '${name}': normalizing parts of a batch splits the samples along axis 0, which is the channel axis here. ` +
        'Normalize the whole batch (no normalizationBatchSize), or along another axis.',
    );
  }
  checkValues(x, batches, options);
  if (mask !== undefined) return normalizeMasked(x, batches, { ...options, mask });
  if (batches.of !== undefined && batches.count > 1) return normalizeByNumber(x, batches, options);
  const { count } = batches;
  const { y, moments } = packedBatchNormalize(x, count === 1 ? options : { ...options, groups: count });
  return { y, moments: count === 1 ? moments : tf.mean(moments, 1, true) };
}

/** Batches of any samples. A number per sample lets one kernel call take them all, where splitting x would copy it. */
function normalizeByNumber(
  x: tf.Tensor,
  batches: NormalizationBatches,
  options: InBatchesOptions,
): NormalizedBatch {
  const samples = x.shape[0]!;
  const { sizes, numbers } = samplesIn(batches, samples);
  const { y, mean, variance } = segmentBatchNormalize(x, int32(numbers), batches.count, options);
  const shares = tf.tensor2d(
    Array.from(sizes, (own) => own / samples),
    [batches.count, 1],
  );
  return { y, moments: weighted(mean, variance, shares) };
}

/** The same where some steps do not count. How many do may be known to the device alone. */
function normalizeMasked(
  x: tf.Tensor,
  batches: NormalizationBatches,
  options: InBatchesOptions,
): NormalizedBatch {
  const { numbers } = samplesIn(batches, x.shape[0]!);
  const { y, mean, variance, counts } = segmentBatchNormalize(x, int32(numbers), batches.count, options);
  const counted = tf.sum(counts);
  const shares = tf.reshape(tf.div(counts, tf.maximum(counted, 1)), [batches.count, 1]);
  return { y, moments: weighted(mean, variance, shares), counted };
}

const int32 = (numbers: Int32Array) => tf.tensor1d(numbers, 'int32');

function weighted(mean: tf.Tensor, variance: tf.Tensor, shares: tf.Tensor): tf.Tensor3D {
  const sum = (values: tf.Tensor) => tf.sum(tf.mul(values, shares), 0, true);
  return tf.stack([sum(mean), sum(variance)]) as tf.Tensor3D;
}

/** @throws {NormalizationBatchError} if a normalization batch is known to have a single value per channel. */
function checkValues(
  x: tf.Tensor,
  batches: NormalizationBatches,
  { axis = -1, name, mask, singleValue }: InBatchesOptions,
): void {
  // What is wrong with such an x, the op says.
  if (singleValue === 'normalize' || x.isDisposed || x.size === 0) return;
  const samples = x.shape[0]!;
  const values = x.size / x.shape.at(axis)!;
  const counted = new Float64Array(batches.count);
  if (mask === undefined) {
    // Samples of more than one value, or one batch, need no count.
    if (values / samples >= 2) return;
    const { sizes } = batches.count === 1 ? { sizes: [samples] } : samplesIn(batches, samples);
    counted.set(sizes);
  } else {
    if (!readsWithoutStalling()) return;
    const { numbers } = samplesIn(batches, samples);
    const perSample = mask.size / samples;
    mask.dataSync().forEach((counts, block) => {
      if (counts) counted[numbers[Math.floor(block / perSample)]!]! += values / mask.size;
    });
  }
  if (!counted.includes(1)) return;
  const where =
    batches.count === 1 ? 'the normalization batch' : `each of ${batches.count} normalization batches`;
  throw new NormalizationBatchError(
    `Layer '${name}': expected at least 2 values per channel in ${where}, got 1 (an input of shape ` +
      `[${x.shape.join(', ')}]${mask === undefined ? '' : ', of which some steps are masked'}). Its variance is 0 and its ` +
      'output would not depend on the input: use larger batches or fewer groups of them, or population statistics; or do ' +
      "as TensorFlow, whose output is beta then, with singleValue: 'normalize'.",
  );
}
