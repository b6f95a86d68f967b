/** Leakage: what a model learns about a sample's label from the other samples in its normalization batch. */
export { type AuditOptions, auditLeakage } from './audit/audit-leakage.ts';
export type { SampleLoss } from './audit/losses.ts';
export { formatLeakage, type LayerLeak, type LeakageReport } from './audit/report.ts';
export type { LabeledBatch, LabeledData } from './audit/samples.ts';
export {
  AuditError,
  GroupError,
  GroupingError,
  LeakageError,
  ReplicaError,
  type ReplicaFailure,
  ReplicaSetupError,
  SamplerError,
} from './errors.ts';
export type { Assignment, GroupCount } from './ghost/assign-groups.ts';
export {
  GhostBatchNormalization,
  type GhostBatchNormalizationConfig,
  type GhostSettings,
  ghostBatchNormalization,
} from './ghost/ghost-batch-normalization.ts';
export { type Group, soloGroup } from './group/group.ts';
export { inLockstep } from './group/in-lockstep.ts';
export { createGroupMemory, type GroupMemory, type GroupOptions } from './group/memory.ts';
export { SharedGroup } from './group/shared-group.ts';
export type { Tensors, TrainingBatch, TrainingData } from './replicas/batches.ts';
export type { ReplicaWorker } from './replicas/crew.ts';
export type { StepOfReplica } from './replicas/messages.ts';
export type { ReplicaPort } from './replicas/port.ts';
export type { TrainReport } from './replicas/report.ts';
export { type ServeReplicaOptions, serveReplica } from './replicas/serve-replica.ts';
export {
  type ReplicasProgress,
  type TrainReplicasOptions,
  trainReplicas,
} from './replicas/train-replicas.ts';
export { type BalancedOptions, balancedBatches } from './samplers/balanced-batches.ts';
export { type GroupedOptions, groupedBatches } from './samplers/grouped-batches.ts';
export { type IidOptions, iidBatches } from './samplers/iid-batches.ts';
export { type LimitedOptions, limitedBatches } from './samplers/limited-batches.ts';
export type { Batches, Keys, SamplerOptions } from './samplers/sampler.ts';
export { Shuffled, type ShuffledConfig, type ShuffleOptions, shuffled } from './shuffle/shuffled.ts';
export { convertToSync, setGroup } from './sync/convert-to-sync.ts';
export {
  SyncBatchNormalization,
  type SyncBatchNormalizationConfig,
  syncBatchNormalization,
} from './sync/sync-batch-normalization.ts';
