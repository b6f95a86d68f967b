import * as tf from '@tensorflow/tfjs-core';
import { type CountedMoments, packedMoments } from './batch-moments.ts';
import type { ChannelMoments } from './channel-moments.ts';
import { NormalizationBatchError, subject } from './errors.ts';
import { assertAffine, assertEpsilon, assertFloatTensor, assertMoments } from './inputs.ts';
import { countsOf, type Masked, maskedMomentsOf, maskedOf } from './masks.ts';
import { mergePackedMoments } from './merge-packed-moments.ts';
import { type NormalizeOptions, packConstants } from './normalize.ts';
import { optionNames, UNGROUPED_NAMES } from './option-names.ts';
import { normalizeBySegment, spread } from './segment-gradients.ts';
import { countValues, evenCount, type Segments, segmentsOf } from './segment-ids.ts';
import type { SingleValueOptions } from './single-value.ts';
import { tidied } from './tidied.ts';

/** gamma and beta, epsilon, the channel axis and a name, for samples in segments. */
export interface SegmentOptions extends Omit<NormalizeOptions, 'groups' | 'gamma' | 'beta'> {
  /** Scale per channel, [channels], or [segments, channels]; absent means 1. */
  readonly gamma?: tf.Tensor | undefined;
  /** Offset per channel, [channels], or [segments, channels]; absent means 0. */
  readonly beta?: tf.Tensor | undefined;
}

/** What segmentBatchNormalize takes. */
export interface SegmentBatchOptions extends SegmentOptions, SingleValueOptions {
  /**
   * Moments [segments, channels], such as population statistics, for segments with fewer than 2 values per channel in
   * this batch: they normalize such a segment as constants, and are returned as its moments.
   */
  readonly fallback?: ChannelMoments | undefined;
  /** Normalize all samples by the moments of the whole batch. Default false: each by those of its own segment. */
  readonly pooled?: boolean | undefined;
  /**
   * Which values count: bool, in the shape of the axes of x before the channels, or of the first of them, as
   * [samples, steps]. The others, such as padded steps, are normalized by the moments of their segment and are no part of
   * them. Default: all count.
   */
  readonly mask?: tf.Tensor | undefined;
}

/** What segmentBatchNormalize returns. */
export interface SegmentedBatch {
  /** In the shape of x. */
  readonly y: tf.Tensor;
  /** Mean of each segment: float32 [segments, channels]. Differentiable in x. */
  readonly mean: tf.Tensor;
  /** Biased (population) variance of each segment, in the shape of `mean`. Differentiable in x. */
  readonly variance: tf.Tensor;
  /** Values per channel that count in each segment, spatial positions included: float32 [segments]. */
  readonly counts: tf.Tensor1D;
  /**
   * With `pooled`, the moments that normalized the batch: [channels], of all values that count. How many these are is a
   * float32 scalar where there is a mask.
   */
  readonly joint?: CountedMoments;
}

const checkOptionNames = optionNames<SegmentBatchOptions>('segmentBatchNormalize', {
  ...UNGROUPED_NAMES,
  ...{ fallback: true, pooled: true, mask: true },
});

/**
 * Batch normalization of samples from several sources at once: each sample by the moments of its own segment in this
 * batch, with gamma and beta shared or one of each per segment (domain-specific BN, Chang et al. 2019). With `pooled`,
 * by the moments of all samples together, while those of each segment are still returned, by which population
 * statistics per segment are estimated. x is read and written as often as by batchNormalize. Differentiable in x
 * (through the moments, too), gamma and beta; so are the moments that are returned, in x.
 *
 * A segment that is absent from the batch has a count of 0 and, without a fallback, moments of 0. A segment with a
 * single value per channel is normalized by the fallback; without one it cannot be (but see `singleValue`). On backends whose tensors are in
 * this thread's memory (cpu, wasm, node), that and an id out of range are errors; on the others, where reading the ids
 * would wait for the device, the samples concerned come out as NaN, and so do their gradients.
 *
 * @param x float32, rank 2 or more, samples along axis 0.
 * @param segmentIds int32 [samples], each from 0 to numSegments - 1, in any order.
 * @throws {InvalidInputError} for tensors that are empty, disposed, of the wrong dtype or shape, or an id out of range.
 * @throws {NormalizationBatchError} for a segment with a single value per channel, where there is no fallback; with
 *   `pooled`, if that is all there is in the batch.
 */
export function segmentBatchNormalize(
  x: tf.Tensor,
  segmentIds: tf.Tensor,
  numSegments: number,
  options: SegmentBatchOptions = {},
): SegmentedBatch {
  checkOptionNames(options);
  const { segments, epsilon } = checkSegments('segmentBatchNormalize', x, segmentIds, numSegments, options);
  const { fallback, pooled = false, name } = options;
  const { grouping } = segments;
  const shape = [numSegments, grouping.channels];
  if (fallback !== undefined) {
    assertMoments(fallback, shape, "the fallback's ", 'segmentBatchNormalize', name);
  }
  return tidied(() => {
    const masked = options.mask && maskedOf('segmentBatchNormalize', x, options.mask, grouping, options.name);
    const of = { ...segments, ...(masked && { values: masked.values, known: masked.known }) };
    assertNormalizable(of, options);
    const counts = masked ? countsOf(masked) : countValues(segments);
    const perSegment = tf.reshape(counts, [numSegments, 1]);
    const measured = masked ? maskedMomentsOf(x, masked) : packedMoments(x, grouping);
    const own = orFallback(measured, perSegment, of, options);
    const joint = pooled ? mergePackedMoments(measured, sharesOf(perSegment, masked)) : undefined;
    const used = joint === undefined ? orNaN(own, perSegment, of, options) : spread(joint, shape);
    const call = {
      ...options,
      x,
      moments: used,
      counts: perSegment,
      each: evenCount(of),
      grouping,
      halves: masked?.halves,
      epsilon,
    };
    const y = normalizeBySegment(call, fallback !== undefined && mayLack(of));
    const [mean, variance] = tf.unstack(own) as [tf.Tensor, tf.Tensor];
    const all = masked ? tf.sum(counts) : grouping.outer * grouping.inner;
    return { y, mean, variance, counts, ...(joint && { joint: jointMoments(joint, all) }) };
  });
}

/** Each segment's share of the values that count; 0 where none does at all. */
function sharesOf(counts: tf.Tensor, masked: Masked | undefined): tf.Tensor {
  const all = tf.sum(counts);
  return tf.div(counts, masked ? tf.maximum(all, 1) : all);
}

/** Checks what the ops on segments have in common. */
export function checkSegments(
  op: string,
  x: tf.Tensor,
  segmentIds: tf.Tensor,
  numSegments: number,
  options: SegmentOptions,
) {
  assertFloatTensor(x, 'x', op, options.name);
  const segments = segmentsOf(op, x, segmentIds, numSegments, options);
  assertAffine(options, numSegments, segments.grouping.channels, op, options.name);
  const epsilon = options.epsilon ?? 1e-3;
  assertEpsilon(epsilon, op, options.name);
  return { segments, epsilon };
}

function assertNormalizable({ values, known, grouping }: Segments, options: SegmentBatchOptions): void {
  const who = subject('segmentBatchNormalize', options.name);
  if (options.singleValue === 'normalize') return;
  if (options.pooled === true) {
    const all = known?.reduce((sum, blocks) => sum + blocks * values, 0) ?? grouping.outer * grouping.inner;
    if (all !== 1) return;
    throw new NormalizationBatchError(
      `${who}: expected at least 2 values per channel in the pooled batch, got 1. Use a larger batch.`,
    );
  }
  if (options.fallback !== undefined || values > 1) return;
  const single = known === undefined ? -1 : known.indexOf(1);
  if (single < 0) return;
  throw new NormalizationBatchError(
    `${who}: expected at least 2 values per channel in every segment of the batch, got 1 in segment ${single}. ` +
      'Its variance is 0 and its output would not depend on x: pass population statistics as the fallback, ' +
      "draw batches with more samples per segment, or pass singleValue: 'normalize'.",
  );
}

/** Whether a segment may have fewer than 2 values per channel, as far as one knows without reading from the device. */
function mayLack({ values, known }: Segments): boolean {
  return known === undefined || known.some((samples) => samples * values < 2);
}

/** The moments measured, or those of the fallback for a segment that has too few values. */
function orFallback(
  measured: tf.Tensor3D,
  counts: tf.Tensor,
  segments: Segments,
  { fallback }: SegmentBatchOptions,
): tf.Tensor3D {
  if (fallback === undefined || !mayLack(segments)) return measured;
  return tf.where(tf.less(counts, 2), packConstants(fallback, segments.grouping), measured);
}

/** The same, NaN for a segment that has neither. Where its id can be read, that was an error before. */
function orNaN(
  own: tf.Tensor3D,
  counts: tf.Tensor,
  { values, known }: Segments,
  { fallback, singleValue }: SegmentBatchOptions,
): tf.Tensor3D {
  if (fallback !== undefined || known !== undefined || values > 1 || singleValue === 'normalize') return own;
  return tf.where(
    tf.equal(counts, 1),
    tf.tensor(new Float32Array(own.size).fill(Number.NaN), own.shape),
    own,
  );
}

function jointMoments(joint: tf.Tensor3D, count: number | tf.Tensor): CountedMoments {
  const [mean, variance] = tf.unstack(tf.reshape(joint, [2, joint.shape[2]])) as [tf.Tensor, tf.Tensor];
  return { mean, variance, count };
}
