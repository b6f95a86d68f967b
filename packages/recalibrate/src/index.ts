// PreciseBN for TensorFlow.js: recompute the population statistics of a whole model.

// The statistics of a model

export {
  applyStatistics,
  type BatchInputs,
  captureStatistics,
  type DataBatch,
  type DatasetLike,
  type LayerStatistics,
  type ModelStatistics,
  type RecalibrationData,
} from '@rebatch/models';
export type { StatisticsEstimate } from './finish.ts';
export type { InputReport } from './inputs.ts';
export type { RecalibrationMode, RecalibrationOptions, RecalibrationProgress } from './options.ts';
export { estimateStatistics, recalibrate } from './recalibrate.ts';
export type { ApplicationReport, LayerReport, RecalibrationReport } from './report.ts';
export type { ChannelSummary, MomentsSummary } from './summaries.ts';

// Callbacks for training

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

// Errors

export {
  BackendChangedError,
  DisposedTensorError,
  InputShapeError,
  InvalidDataError,
  NoBatchNormError,
  NotAModelError,
  StatisticsError,
} from '@rebatch/models';
export {
  ApplicationsChangedError,
  EstimateError,
  FoldedStatisticsError,
  InsufficientDataError,
  NonFiniteActivationError,
  RecalibrationError,
  RecalibrationOptionError,
  StatefulModelError,
  TrainingCallbackError,
} from './errors.ts';
