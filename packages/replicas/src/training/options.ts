// How to train on several threads, and what is asked of it.
import {
  abortSignal,
  anything,
  callable,
  checkOptions as checkByRules,
  type OptionRules,
  shown,
} from '@rebatch/stats/~internal';
import { ReplicaSetupError } from '../errors.ts';
import type { StepOfReplica } from '../messages/messages.ts';
import type { ReplicaWorker } from '../messages/port.ts';
import { MOST, NAMES, TIMEOUT } from '../shared-memory/memory.ts';
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

const RULES: OptionRules<TrainReplicasOptions> = {
  // What of these is right depends on each other, and on the data.
  ...{ workers: anything, epochs: anything, steps: anything, shares: anything },
  names: NAMES,
  timeoutMs: TIMEOUT,
  signal: abortSignal,
  onProgress: callable(),
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
  checkByRules('trainReplicas', options, RULES, ReplicaSetupError);
  const { workers, epochs = 1, steps, shares, names } = options;
  const positive = (value: number | undefined) =>
    value === undefined || (Number.isInteger(value) && value >= 1);
  if (!Array.isArray(workers) || workers.length === 0) {
    const came = Array.isArray(workers) ? 'none' : shown(workers);
    throw new ReplicaSetupError(`trainReplicas: expected a list of at least one worker, got ${came}.`);
  }
  const odd = workers.findIndex((worker: unknown) => !isWorker(worker));
  if (odd >= 0) {
    throw new ReplicaSetupError(
      `trainReplicas: expected workers of worker_threads or of the Web, got ${shown(workers[odd])} for worker ${odd}.`,
    );
  }
  if (workers.length > MOST) {
    throw new ReplicaSetupError(`trainReplicas: expected at most ${MOST} workers, got ${workers.length}.`);
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
  if (names !== undefined && names.length !== workers.length) {
    throw new ReplicaSetupError(
      `trainReplicas: expected ${workers.length} names, one per worker, got ${names.length}.`,
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

function isWorker(value: unknown): boolean {
  return typeof (value as Partial<ReplicaWorker> | null | undefined)?.postMessage === 'function';
}
