export { type BatchMoments, batchMoments } from './batch-moments.ts';
export { batchNormalize } from './batch-normalize.ts';
export { type ChannelView, type ViewOptions, valuesPerChannel, viewChannels } from './channel-view.ts';
export { InvalidInputError, NormalizationBatchError } from './errors.ts';
export { type JointBatch, type JointOptions, jointBatchNormalize } from './joint-batch-normalize.ts';
export { mergePackedMoments } from './merge-packed-moments.ts';
export { type ChannelMoments, movingAverage } from './moving-average.ts';
export { type GivenMomentsOptions, type NormalizeOptions, normalize } from './normalize.ts';
export { normalizePart, type PartOptions, type WholeBatch } from './normalize-part.ts';
export { normalizePacked, packedBatchMoments, packedBatchNormalize } from './packed.ts';
export { readMoments } from './read-moments.ts';
export {
  type SegmentBatchOptions,
  type SegmentedBatch,
  type SegmentOptions,
  segmentBatchNormalize,
} from './segment-batch-normalize.ts';
export { type SegmentConstantsOptions, segmentNormalize } from './segment-normalize.ts';
