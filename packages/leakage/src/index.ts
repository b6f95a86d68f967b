// Leakage: what a model learns about a sample's label from the other samples in its normalization batch.

// Which samples are normalized together: groups of a batch, shuffled groups, or the batches of all replicas

export type { Assignment, GroupCount } from './ghost/assign-groups.ts';
export {
  GhostBatchNormalization,
  type GhostBatchNormalizationConfig,
  type GhostSettings,
  ghostBatchNormalization,
} from './ghost/ghost-batch-normalization.ts';
export { Shuffled, type ShuffledConfig, type ShuffleOptions, shuffled } from './shuffle/shuffled.ts';
export { convertToSync, setGroup } from './sync/convert-to-sync.ts';
export {
  SyncBatchNormalization,
  type SyncBatchNormalizationConfig,
  syncBatchNormalization,
} from './sync/sync-batch-normalization.ts';

// How replicas reach each other; over threads, see @rebatch/replicas

export { type Group, soloGroup } from './group/group.ts';
export { inLockstep } from './group/in-lockstep.ts';

// Samplers: which samples come in one batch

export { type BalancedOptions, balancedBatches } from './samplers/balanced-batches.ts';
export { type GroupedOptions, groupedBatches } from './samplers/grouped-batches.ts';
export { type IidOptions, iidBatches } from './samplers/iid-batches.ts';
export { type LimitedOptions, limitedBatches } from './samplers/limited-batches.ts';
export type { Batches, Keys, SamplerOptions } from './samplers/sampler.ts';

// The audit: whether a model leaks

export { type AuditOptions, auditLeakage } from './audit/audit-leakage.ts';
export type { SampleLoss } from './audit/losses.ts';
export { formatLeakage, type LayerLeak, type LeakageReport } from './audit/report.ts';
export type { LabeledBatch, LabeledData } from './audit/samples.ts';

// Errors

export { AuditError, GroupError, GroupingError, LeakageError, SamplerError } from './errors.ts';
