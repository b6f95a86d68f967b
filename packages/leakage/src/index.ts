/** Leakage: what a model learns about a sample's label from the other samples in its normalization batch. */
export { type AuditOptions, auditLeakage } from './audit/audit-leakage.ts';
export type { SampleLoss } from './audit/losses.ts';
export { formatLeakage, type LayerLeak, type LeakageReport } from './audit/report.ts';
export type { LabeledBatch, LabeledData } from './audit/samples.ts';
export { AuditError, GroupingError, LeakageError, SamplerError } from './errors.ts';
export type { Assignment, GroupCount } from './ghost/assign-groups.ts';
export {
  GhostBatchNormalization,
  type GhostBatchNormalizationConfig,
  type GhostSettings,
  ghostBatchNormalization,
} from './ghost/ghost-batch-normalization.ts';
export { type BalancedOptions, balancedBatches } from './samplers/balanced-batches.ts';
export { type GroupedOptions, groupedBatches } from './samplers/grouped-batches.ts';
export { type IidOptions, iidBatches } from './samplers/iid-batches.ts';
export { type LimitedOptions, limitedBatches } from './samplers/limited-batches.ts';
export type { Batches, Keys, SamplerOptions } from './samplers/sampler.ts';
export { Shuffled, type ShuffledConfig, type ShuffleOptions, shuffled } from './shuffle/shuffled.ts';
