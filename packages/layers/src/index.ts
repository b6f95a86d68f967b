export { InvalidInputError, NormalizationBatchError } from '@rebatch/core';
export { batchNormLayers } from './batch-norm-layers.ts';
export {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
} from './batch-normalization.ts';
export { channelAxis } from './channel-axis.ts';
export { convert } from './convert.ts';
export { FoldError, ForeignLayerError } from './errors.ts';
export { type Folded, type FoldOptions, type FoldResult, foldBatchNorm } from './fold/fold.ts';
export type { Kept } from './fold/plan.ts';
export { type FreezeOptions, freezeBatchNorm, unfreezeBatchNorm } from './freeze.ts';
export type { CallArguments } from './layer-math.ts';
export { type NormalizationBatches, normalizationBatches } from './normalization-batches.ts';
export type { FrozenAffine, Statistics, StatisticsSettings } from './settings.ts';
export type { BatchNormLayer } from './stock.ts';
export { type StatisticsScopeOptions, withStatistics } from './with-statistics.ts';
