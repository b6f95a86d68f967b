import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertFloatTensor, assertGiven, assertMoments } from './inputs.ts';
import { normalizeByConstants, packConstants } from './normalize.ts';
import { optionNames, UNGROUPED_NAMES } from './option-names.ts';
import { checkSegments, type SegmentOptions } from './segment-batch-normalize.ts';

/** What segmentNormalize takes. */
export interface SegmentConstantsOptions extends SegmentOptions {
  /** Take gamma and beta as constants, as `normalize` does with this option. Default false. */
  readonly fixedAffine?: boolean | undefined;
}

const checkOptionNames = optionNames<SegmentConstantsOptions>('segmentNormalize', UNGROUPED_NAMES);

/**
 * Normalizes each sample by the moments that are given for its segment, as inference on samples from several sources
 * does with population statistics: (x - mean) / sqrt(variance + epsilon) * gamma + beta. One read and one write where
 * the backend has a kernel. Differentiable in x, gamma and beta (or in x alone, with `fixedAffine`); the moments are
 * constants.
 *
 * @param x float32, rank 2 or more, samples along axis 0.
 * @param segmentIds int32 [samples], each from 0 to segments - 1, in any order. An id out of range is an error on
 *   backends whose tensors are in this thread's memory (cpu, wasm, node); on the others its sample comes out as NaN.
 * @param moments float32 tensors of shape [segments, channels].
 * @throws {InvalidInputError} for tensors that are empty, disposed, of the wrong dtype or shape, or an id out of range.
 */
export function segmentNormalize(
  x: tf.Tensor,
  segmentIds: tf.Tensor,
  moments: ChannelMoments,
  options: SegmentConstantsOptions = {},
): tf.Tensor {
  checkOptionNames(options);
  const op = 'segmentNormalize';
  assertGiven(moments, '', op, options.name);
  assertFloatTensor(moments.mean, 'mean', op, options.name);
  const [numSegments] = moments.mean.shape;
  if (numSegments === undefined || moments.mean.rank !== 2) {
    throw new InvalidInputError(
      `${subject(op, options.name)}: expected mean of shape [segments, channels], ` +
        `got [${moments.mean.shape.join(', ')}].`,
    );
  }
  const { segments, epsilon } = checkSegments(op, x, segmentIds, numSegments, options);
  const { grouping } = segments;
  assertMoments(moments, [numSegments, grouping.channels], '', op, options.name);
  return tf.tidy(() => {
    const packed = packConstants(moments, grouping);
    return normalizeByConstants({ ...options, x, moments: packed, grouping, epsilon });
  });
}
