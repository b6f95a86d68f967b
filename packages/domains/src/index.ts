// Statistics per domain: a source of inputs with its own population statistics.

// A model on another domain

export { type AdaptOptions, adapt } from './adapt.ts';
export { adaptOnline, type OnlineAdapter } from './online/adapt-online.ts';
export type { OnlineOptions } from './online/options.ts';
export {
  captureReference,
  type Reference,
  type ReferenceOptions,
  type ReferenceSite,
} from './reference/reference.ts';

// Statistics of many domains

export {
  applyStatistics,
  captureStatistics,
  type LayerStatistics,
  type ModelStatistics,
} from '@rebatch/models';
export { StatisticsBank, statisticsBank } from './bank/statistics-bank.ts';
export { diffStatistics, type LayerDifference, type StatisticsDifference } from './diff-statistics.ts';

// Layers of several domains

export type {
  DomainBatchNormalizationConfig,
  DomainSettings,
  DomainSource,
  Sharing,
} from './layer/config.ts';
export { convertToDomains, type DomainConversion } from './layer/convert-to-domains.ts';
export { DomainBatchNormalization, domainBatchNormalization } from './layer/domain-batch-normalization.ts';
export { type DomainInScope, withDomain } from './layer/scope.ts';
export { toStock } from './layer/to-stock.ts';

// Errors

export { StatisticsError } from '@rebatch/models';
export {
  BankFileError,
  DomainError,
  DomainLayerError,
  OnlineAdapterError,
  ReferenceMomentsError,
  StatisticsBankError,
  UnknownDomainError,
} from './errors.ts';
