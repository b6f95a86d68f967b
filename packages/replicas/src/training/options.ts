// How to train on several threads, and what is asked of it.
import { checkNames, shown } from '@rebatch/stats/~internal';
import { ReplicaSetupError } from '../errors.ts';
import type { StepOfReplica } from '../messages/messages.ts';
import type { ReplicaWorker } from '../messages/port.ts';
import { isRepeatable, type TrainingData } from './batches.ts';

/** How far data-parallel training is. */
export interface ReplicasProgress {
  /** The step that was made, from 1, and the epoch that it belongs to, from 0. */
  readonly step: number;
  readonly epoch: number;
  /** Samples in the step. */
  readonly samples: number;
  /** Loss and metrics over the step's samples, by the names that `fit` uses. */
  readonly logs: Readonly<Record<string, number>>;
  /** What each replica did. */
  readonly replicas: readonly StepOfReplica[];
}

/** Options of `trainReplicas`. */
export interface TrainReplicasOptions {
  /** Workers that have called `serveReplica`, or are about to. They stay the caller's: terminate them when done. */
  readonly workers: readonly ReplicaWorker[];
  /** How often to go through the data. Default 1. */
  readonly epochs?: number;
  /** End after so many steps, also in the middle of an epoch. */
  readonly steps?: number;
  /**
   * Which share of a batch each replica gets, such as `[2, 1]` for one that is twice as fast; default equal shares. A
   * replica may get no sample of a batch.
   */
  readonly shares?: readonly number[];
  /** What errors call the replicas; default their numbers. */
  readonly names?: readonly string[];
  /** How long replicas wait for each other before one counts as stalled, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** Ends training; the step that is being made is dropped. */
  readonly signal?: AbortSignal;
  /** Called after each step. */
  readonly onProgress?: (progress: ReplicasProgress) => void;
}

const NAMES: { readonly [Name in keyof Required<TrainReplicasOptions>]: true } = {
  ...{ workers: true, epochs: true, steps: true, shares: true, names: true, timeoutMs: true },
  ...{ signal: true, onProgress: true },
};

/**
 * @param busy workers that train another model.
 * @throws {ReplicaSetupError} for options that cannot work, alone or with this data.
 */
export function checkOptions(
  data: TrainingData,
  options: TrainReplicasOptions,
  busy: { has(worker: ReplicaWorker): boolean },
): void {
  checkNames('trainReplicas', options, Object.keys(NAMES), ReplicaSetupError);
  const { workers, epochs = 1, steps, shares } = options;
  const positive = (value: number | undefined) =>
    value === undefined || (Number.isInteger(value) && value >= 1);
  if (!Array.isArray(workers) || workers.length === 0) {
    const came = Array.isArray(workers) ? 'none' : shown(workers);
    throw new ReplicaSetupError(`trainReplicas: expected a list of at least one worker, got ${came}.`);
  }
  if (new Set(workers).size !== workers.length) {
    throw new ReplicaSetupError('trainReplicas: expected different workers, got one of them twice.');
  }
  const taken = workers.findIndex((worker) => busy.has(worker));
  if (taken >= 0) {
    throw new ReplicaSetupError(
      `trainReplicas: expected workers that are free, but worker ${taken} is still training another model. Wait for that ` +
        'call, or start more workers.',
    );
  }
  if (!positive(epochs) || !positive(steps)) {
    const came = steps === undefined ? shown(epochs) : `${shown(epochs)} and ${shown(steps)}`;
    throw new ReplicaSetupError(
      `trainReplicas: expected epochs and steps to be whole numbers of at least 1, got ${came}.`,
    );
  }
  if (epochs > 1 && !isRepeatable(data)) {
    throw new ReplicaSetupError(
      `trainReplicas: expected data that can be read again for ${epochs} epochs, got an iterator. Pass a dataset, an ` +
        'array, or an object with [Symbol.asyncIterator].',
    );
  }
  if (shares === undefined) return;
  const valid =
    Array.isArray(shares) &&
    shares.every((share) => Number.isFinite(share) && share >= 0) &&
    shares.some((share) => share > 0);
  if (!valid || shares.length !== workers.length) {
    const came = Array.isArray(shares) ? `[${shares.map(shown).join(', ')}]` : shown(shares);
    throw new ReplicaSetupError(
      `trainReplicas: expected ${workers.length} shares of at least 0, one per worker, got ${came}.`,
    );
  }
}
