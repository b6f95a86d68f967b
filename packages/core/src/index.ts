// Batch normalization as TensorFlow.js ops: exact moments, normalization by them, and their gradients.

// By the batch's own moments

export { type BatchMoments, batchMoments, type CountedMoments } from './batch-moments.ts';
export { type BatchNormalizeOptions, batchNormalize } from './batch-normalize.ts';
export type { SingleValueOptions } from './single-value.ts';

// By moments that are given, such as population statistics

export type { ChannelMoments } from './channel-moments.ts';
export type { ViewOptions } from './channel-view.ts';
export { type GivenMomentsOptions, type NormalizeOptions, normalize } from './normalize.ts';

// Samples of several sources in one batch

export {
  type SegmentBatchOptions,
  type SegmentedBatch,
  type SegmentOptions,
  segmentBatchNormalize,
} from './segment-batch-normalize.ts';
export { type SegmentConstantsOptions, segmentNormalize } from './segment-normalize.ts';

// Several tensors as one batch, and a tensor that is a part of one

export { type JointBatch, type JointOptions, jointBatchNormalize } from './joint-batch-normalize.ts';
export { normalizePart, type PartOptions, type WholeBatch } from './normalize-part.ts';

// From the device to the host

export { readMoments } from './read-moments.ts';

// Errors

export { InvalidInputError, NormalizationBatchError } from './errors.ts';
