export { type BatchMoments, batchMoments } from './batch-moments.ts';
export { batchNormalize } from './batch-normalize.ts';
export { type ChannelView, type ViewOptions, valuesPerChannel, viewChannels } from './channel-view.ts';
export { InvalidInputError, NormalizationBatchError } from './errors.ts';
export { type GivenMomentsOptions, type NormalizeOptions, normalize } from './normalize.ts';
export { readMoments } from './read-moments.ts';
