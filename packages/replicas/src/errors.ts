// What can go wrong when replicas train together.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class ReplicasError extends RebatchError {}

/** How a replica ended the work of all: it threw, was not heard of in time, has exited, or was told to stop. */
export type ReplicaFailure = 'threw' | 'stalled' | 'exited' | 'stopped';

/** A replica has ended the work of its whole group. */
export class ReplicaError extends ReplicasError {
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
export class ReplicaSetupError extends ReplicasError {}
