/** Statistics per domain: a source of inputs with its own population statistics. */

export {
  applyStatistics,
  captureStatistics,
  type LayerStatistics,
  type ModelStatistics,
  StatisticsError,
} from '@rebatch/recalibrate';
export { type AdaptOptions, adapt } from './adapt.ts';
export { diffStatistics, type LayerDifference, type StatisticsDifference } from './diff-statistics.ts';
export { DomainError, DomainLayerError, UnknownDomainError } from './errors.ts';
