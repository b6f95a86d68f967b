// A drop-in for the batch normalization of tf.layers, and what a model can do with it.

// The layer

export {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
} from './batch-normalization.ts';
export type { CallArguments } from './layer-math.ts';
export type { ChooseBatches, NormalizationBatches } from './normalization-batches.ts';
export type { FrozenAffine, Statistics, StatisticsSettings } from './settings.ts';
export type { PopulationLayer, StockCopier, StockDifferences } from './to-stock/answers.ts';

// Models that exist

export { batchNormLayers } from './batch-norm-layers.ts';
export { channelAxis } from './channel-axis.ts';
export { convert } from './convert.ts';
export { type Folded, type FoldOptions, type FoldResult, foldBatchNorm } from './fold/fold.ts';
export type { Kept } from './fold/plan.ts';
export { type FreezeOptions, freezeBatchNorm, unfreezeBatchNorm } from './freeze.ts';
export type { BatchNormLayer } from './stock.ts';
export { toStock } from './to-stock/to-stock.ts';

// Errors

export { InvalidInputError, NormalizationBatchError } from '@rebatch/core';
export { FoldError, ForeignLayerError, NotAModelError, StockError } from './errors.ts';
