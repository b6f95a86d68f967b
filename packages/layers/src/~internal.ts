// What sibling packages use of this one, and users don't: it may change in any release.
export { layersIn } from './batch-norm-layers.ts';
export { isSymbolic, obey, saidIn, saidOf, settingsFor } from './calls-in-graphs.ts';
export { checkLayer, describeNoModel, isLayer } from './check-model.ts';
export { BATCH_NORM_NAMES, checkConfigNames } from './config-names.ts';
export type { CopiedOutput } from './copy/copy-graph.ts';
export { type Application, applicationsBetween, isModel } from './copy/graph.ts';
export { refuseDerived } from './derived.ts';
export { linearKind } from './fold/linear-layers.ts';
export { fromKeras, provideSynchronized } from './keras-config.ts';
export { registerSynchronizedNames } from './keras-names.ts';
export {
  floatInput,
  type LayerOptions,
  normalizeByBatch,
  normalizeOptions,
  valuesPerSample,
} from './layer-math.ts';
export { arrivingMask, maskOf } from './mask.ts';
export { consecutiveBatches, WHOLE_BATCH } from './normalization-batches.ts';
export { type InBatchesOptions, type NormalizedBatch, normalizeInBatches } from './normalize-in-batches.ts';
export { createScopes, type OverlapOptions, type Scopes } from './scopes.ts';
export { batchSize, singleValueChoice, statisticsName } from './settings.ts';
export { type Call, isStoodInFor, type StandIn, standIn, withStandIns } from './stand-in.ts';
export { type StatisticsScopeOptions, withLayerStatistics } from './statistics-scope.ts';
export { isBatchNorm, isStock, StockBatchNormalization } from './stock.ts';
export type { StockAnswers } from './to-stock/answers.ts';
export { refuseInherited } from './to-stock/own-answer.ts';
export { stockModel } from './to-stock/stock-model.ts';
export { refuseForeign, refuseForeignSymbols } from './two-copies.ts';
