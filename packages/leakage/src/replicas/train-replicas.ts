import type * as tfl from '@tensorflow/tfjs-layers';
import { ReplicaError, ReplicaSetupError } from '../errors.ts';
import {
  boundaries,
  cut,
  isRepeatable,
  type PackedBatch,
  readBatches,
  type TrainingData,
} from './batches.ts';
import { Crew, type ReplicaWorker } from './crew.ts';
import type { StepOfReplica } from './messages.ts';
import { packModel, writeState } from './packed-model.ts';
import { History, type TrainReport } from './report.ts';

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
  readonly onProgress?: (progress: ReplicasProgress) => void;
}

/** Workers whose replicas are at work: a second run would take them away from the first. */
const busy = new WeakSet<ReplicaWorker>();

/** Steps that replicas may have before them: while they make one, the next is read and cut. */
const AHEAD = 2;

/**
 * Trains a model on several threads (data-parallel SGD): each batch is cut into one piece per replica, their gradients
 * are averaged, weighted by samples, and all replicas take the same step. The model, its optimizer's state included, is
 * the same as after training on the whole batches, up to rounding, if its batch normalization is synchronized
 * (`convertToSync`, or layers made by `syncBatchNormalization`). Other batch normalization layers normalize each piece by
 * itself, as Ghost BN does; their moving statistics are averaged.
 *
 * Layers that draw random numbers draw different ones on each replica. Sample weights, class weights and callbacks are
 * not supported.
 *
 * A replica that dies, throws or stalls ends the step everywhere: it is taken by all or by none. The model then has the
 * weights after the last whole step; if no replica is left that knows them, it is as it was. So it is when `signal`
 * aborts, or `data` throws. Nothing is written to the model until the end.
 *
 * @param model compiled, with an optimizer that can save its state.
 * @param data batches of `{xs, ys}`; each counts as one step.
 * @throws {ReplicaError} (rejects) naming the replica that has ended the work of all.
 * @throws {GroupError} (rejects) if replicas have come to different weights; the model is as it was.
 * @throws {ReplicaSetupError} (rejects) for a model, data or options that cannot work.
 * @throws (rejects) the signal's reason, or what the data throws.
 */
export async function trainReplicas(
  model: tfl.LayersModel,
  data: TrainingData,
  options: TrainReplicasOptions,
): Promise<TrainReport> {
  const { workers, signal } = options;
  signal?.throwIfAborted();
  checkOptions(data, options);
  const own = [...workers];
  for (const worker of own) busy.add(worker);
  try {
    return await trainOn(own, model, data, options);
  } finally {
    for (const worker of own) busy.delete(worker);
  }
}

async function trainOn(
  workers: readonly ReplicaWorker[],
  model: tfl.LayersModel,
  data: TrainingData,
  options: TrainReplicasOptions,
): Promise<TrainReport> {
  const { names, timeoutMs = 60_000, signal } = options;
  const packed = await packModel(model);
  const crew = new Crew(workers, names, timeoutMs);
  const abort = () => crew.stop('Training was aborted.');
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) abort();
    await crew.join(packed);
    const history = await makeSteps(crew, model, data, options);
    const state = await crew.finish();
    await writeState(model, state);
    return history.report();
  } catch (error) {
    crew.stop('Training has ended with an error.');
    const state = await crew.survivors();
    if (state !== undefined && state.steps > 0) await writeState(model, state);
    signal?.throwIfAborted();
    throw error instanceof ReplicaError ? withSteps(error, state?.steps) : error;
  } finally {
    signal?.removeEventListener('abort', abort);
    crew.close();
  }
}

async function makeSteps(
  crew: Crew,
  model: tfl.LayersModel,
  data: TrainingData,
  { workers, epochs = 1, steps = Number.POSITIVE_INFINITY, shares, onProgress }: TrainReplicasOptions,
): Promise<History> {
  const history = new History(model.metricsNames);
  const pieces = shares ?? workers.map(() => 1);
  const ahead: (() => Promise<void>)[] = [];
  let step = 0;
  for (let epoch = 0; epoch < epochs && step < steps; epoch++) {
    const before = step;
    for await (const batch of whileWhole(crew, readBatches(data))) {
      ahead.push(begin(++step, epoch, batch));
      if (ahead.length >= AHEAD) await ahead.shift()!();
      if (step >= steps) break;
    }
    if (step === before) {
      throw new ReplicaSetupError(
        `trainReplicas: expected batches in each epoch, got none in epoch ${epoch + 1} of ${epochs}. Data that can be read ` +
          'only once may have been read before.',
      );
    }
    while (ahead.length > 0) await ahead.shift()!();
  }
  return history;

  function begin(step: number, epoch: number, batch: PackedBatch): () => Promise<void> {
    const bounds = boundaries(batch.samples, pieces);
    const made = crew.step(step, (rank) => ({
      batch: cut(batch, bounds[rank]!, bounds[rank + 1]!),
      total: batch.samples,
    }));
    return async () => {
      const replicas = await made;
      const logs = history.add(epoch, replicas);
      onProgress?.({ step, epoch, samples: batch.samples, logs, replicas: replicas.map(plain) });
    };
  }
}

/** Batches, until the replicas fail: data may be long in coming, or never come. */
function whileWhole<Batch>(crew: Crew, batches: AsyncGenerator<Batch>): AsyncIterable<Batch> {
  const next = async () => {
    try {
      return await crew.during(batches.next());
    } catch (error) {
      // Not waited for: a batch that is still to come is disposed then.
      batches.return(undefined).catch(() => {});
      throw error;
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: () => batches.return(undefined) }) };
}

const plain = ({ samples, losses, ms, waitMs, reduceMs }: StepOfReplica): StepOfReplica => ({
  samples,
  losses,
  ms,
  waitMs,
  reduceMs,
});

function checkOptions(
  data: TrainingData,
  { workers, epochs = 1, steps, shares }: TrainReplicasOptions,
): void {
  const positive = (value: number | undefined) =>
    value === undefined || (Number.isInteger(value) && value >= 1);
  if (workers.length === 0)
    throw new ReplicaSetupError('trainReplicas: expected at least one worker, got none.');
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
    throw new ReplicaSetupError(
      `trainReplicas: expected epochs and steps to be whole numbers of at least 1, got ${epochs} and ${steps}.`,
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
    shares.every((share) => Number.isFinite(share) && share >= 0) && shares.some((share) => share > 0);
  if (shares.length !== workers.length || !valid) {
    throw new ReplicaSetupError(
      `trainReplicas: expected ${workers.length} shares of at least 0, one per worker, got [${shares.join(', ')}].`,
    );
  }
}

function withSteps({ message, rank, failure }: ReplicaError, steps: number | undefined): ReplicaError {
  const where =
    steps === undefined
      ? 'No replica is left that knows the weights: the model is as it was before.'
      : `The model has the weights after ${steps} whole step${steps === 1 ? '' : 's'}.`;
  return new ReplicaError(`trainReplicas: ${message} ${where}`, { rank, failure, steps: steps ?? 0 });
}
