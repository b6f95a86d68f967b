/** Statistics per domain: a source of inputs with its own population statistics. */

export {
  applyStatistics,
  captureStatistics,
  type LayerStatistics,
  type ModelStatistics,
  StatisticsError,
} from '@rebatch/recalibrate';
export { type AdaptOptions, adapt } from './adapt.ts';
export { StatisticsBank, statisticsBank } from './bank/statistics-bank.ts';
export { diffStatistics, type LayerDifference, type StatisticsDifference } from './diff-statistics.ts';
export {
  BankFileError,
  DomainError,
  DomainLayerError,
  OnlineAdapterError,
  StatisticsBankError,
  UnknownDomainError,
} from './errors.ts';
export type {
  DomainBatchNormalizationConfig,
  DomainSettings,
  DomainSource,
  Sharing,
} from './layer/config.ts';
export { convertToDomains, type DomainConversion } from './layer/convert-to-domains.ts';
export { DomainBatchNormalization, domainBatchNormalization } from './layer/domain-batch-normalization.ts';
export { type DomainInScope, withDomain } from './layer/scope.ts';
export { adaptOnline, type OnlineAdapter } from './online/adapt-online.ts';
export type { OnlineOptions } from './online/options.ts';
