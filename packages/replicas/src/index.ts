// Training on several threads: replicas of a model that learn the same from different shards of each batch.

// Training: one thread coordinates, the replicas run in its workers

export type { StepOfReplica } from './messages/messages.ts';
export type { Tensors, TrainingBatch } from './messages/packed-batch.ts';
export type { ServeReplicaOptions } from './messages/packed-model.ts';
export type { ReplicaPort, ReplicaWorker } from './messages/port.ts';
export type { TrainingData } from './training/batches.ts';
export type { ReplicasProgress, TrainReplicasOptions } from './training/options.ts';
export type { TrainReport } from './training/report.ts';
export { trainReplicas } from './training/train-replicas.ts';
export { serveReplica } from './worker/serve-replica.ts';

// For a training loop of your own: a group over shared memory, as synchronized layers take it

export { createGroupMemory, type GroupMemory, type GroupOptions } from './shared-memory/memory.ts';
export { SharedGroup } from './shared-memory/shared-group.ts';

// Errors

export { ReplicaError, type ReplicaFailure, ReplicaSetupError, ReplicasError } from './errors.ts';
