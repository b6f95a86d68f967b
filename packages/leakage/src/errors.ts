/** What can go wrong around leakage through the batch. */
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class LeakageError extends RebatchError {}

/** Options of a sampler that no sequence of batches can satisfy. */
export class SamplerError extends LeakageError {}

/** A layer is configured or applied in a way that leaves open which samples normalize together. */
export class GroupingError extends LeakageError {}

/** What an audit was given does not let it compare anything: data, groups, loss or options. */
export class AuditError extends LeakageError {}
/** Replicas that do not work together as they should: what they reduce differs, or a group cannot be had here. */
export class GroupError extends LeakageError {
  /** The replica that is to blame, where it is known not to be the one that throws, or all throw alike. */
  readonly rank: number | undefined;

  constructor(message: string, { rank, ...options }: ErrorOptions & { readonly rank?: number } = {}) {
    super(message, options);
    this.rank = rank;
  }
}

/** How a replica ended the work of all: it threw, was not heard of in time, has exited, or was told to stop. */
export type ReplicaFailure = 'threw' | 'stalled' | 'exited' | 'stopped';

/** A replica has ended the work of its whole group. */
export class ReplicaError extends LeakageError {
  /** The replica that is to blame; for `'stopped'`, the number of replicas: whoever coordinates them. */
  readonly rank: number;
  readonly failure: ReplicaFailure;
  /** From `trainReplicas`: after how many whole steps of this call the weights are that the model now has. */
  readonly steps: number | undefined;

  constructor(message: string, about: { rank: number; failure: ReplicaFailure; steps?: number }) {
    super(message);
    this.rank = about.rank;
    this.failure = about.failure;
    this.steps = about.steps;
  }
}

/** A model, data or options that data-parallel training cannot work with. Nothing was trained. */
export class ReplicaSetupError extends LeakageError {}
