// A model as its batch norms see it: its sites, a checked forward with a visitor, its statistics in and out.

// Models

export { layersModel } from './layers-model/layers-model.ts';
export { type AnyModel, modelOf } from './model-of.ts';
export type {
  Application,
  Endpoint,
  NormalizedModel,
  Overwriting,
  OverwritingMoments,
  RunOptions,
  Site,
  StoreOptions,
  Visitor,
} from './normalized-model.ts';

// Batches for them

export { type Batch, readBatch } from './data/batch.ts';
export type { BatchInputs, DataBatch, DatasetLike, RecalibrationData } from './data/source.ts';

// Their statistics

export type { StatisticsScopeOptions } from '@rebatch/layers/~internal';
export {
  applyStatistics,
  captureStatistics,
  type LayerStatistics,
  type ModelStatistics,
} from './statistics/statistics.ts';
export { withStatistics } from './with-statistics.ts';

// Errors

export { NotAModelError } from '@rebatch/layers';
export {
  BackendChangedError,
  DisposedModelError,
  DisposedTensorError,
  InputShapeError,
  InvalidDataError,
  ModelError,
  NoBatchNormError,
  StatisticsError,
} from './errors.ts';
