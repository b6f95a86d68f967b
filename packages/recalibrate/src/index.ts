/** PreciseBN for TensorFlow.js: recompute the population statistics of a whole model. */
export { findBatchNormLayers, normalizeOptions } from './bn-layers.ts';
export {
  type FreezeStatistics,
  type FreezeStatisticsOptions,
  freezeStatistics,
} from './callbacks/freeze-statistics.ts';
export {
  type ValidateRecalibrated,
  type ValidateRecalibratedOptions,
  validateRecalibrated,
} from './callbacks/validate-recalibrated.ts';
export type { ValidationData } from './callbacks/validation.ts';
export type { BatchInputs, DataBatch, DatasetLike, RecalibrationData } from './data.ts';
export {
  ApplicationsChangedError,
  BackendChangedError,
  DisposedTensorError,
  EstimateError,
  InputShapeError,
  InsufficientDataError,
  InvalidDataError,
  NoBatchNormError,
  NonFiniteActivationError,
  RecalibrationError,
  RecalibrationOptionError,
  StatefulModelError,
  StatisticsError,
  TrainingCallbackError,
} from './errors.ts';
export type { StatisticsEstimate } from './estimate.ts';
export { type Batch, readBatch } from './inputs.ts';
export { type Call, type CallHook, interceptCalls } from './intercept.ts';
export type { RecalibrationMode, RecalibrationOptions, RecalibrationProgress } from './options.ts';
export { estimateStatistics, recalibrate } from './recalibrate.ts';
export type { ApplicationReport, LayerReport, RecalibrationReport } from './report.ts';
export {
  applyStatistics,
  captureStatistics,
  checkStatistics,
  type LayerStatistics,
  type ModelStatistics,
} from './statistics.ts';
export { type ChannelSummary, type MomentsSummary, summarizeShift } from './summaries.ts';
