import { checkLayer } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { ReplicaError, ReplicaSetupError } from '../errors.ts';
import type { StepOfReplica } from '../messages/messages.ts';
import { type PackedBatch, shardOf } from '../messages/packed-batch.ts';
import { packModel, writeState } from '../messages/packed-model.ts';
import type { ReplicaWorker } from '../messages/port.ts';
import { boundaries, readBatches, type TrainingData } from './batches.ts';
import { Coordinator } from './coordinator.ts';
import { checkOptions, type TrainReplicasOptions } from './options.ts';
import { History, type TrainReport } from './report.ts';

/** Workers whose replicas are at work: a second training would take them away from the first. */
const busy = new WeakSet<ReplicaWorker>();

/** Steps that replicas may have before them: while they make one, the next is read and cut. */
const AHEAD = 2;

/**
 * Trains a model on several threads (data-parallel SGD): each batch is cut into one shard per replica, their gradients
 * are averaged, weighted by samples, and all replicas take the same step. The model, its optimizer's state included, is
 * the same as after training on the whole batches, up to rounding, if its batch normalization is synchronized
 * (`convertToSync`, or layers made by `syncBatchNormalization`). Other batch normalization layers normalize each shard by
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
 * @throws {GroupError} (rejects) of `@rebatch/leakage`, if replicas have come to different weights; the model is as it was.
 * @throws {ReplicaSetupError} (rejects) for a model, data or options that cannot work. {NotAModelError} for anything that
 *   is no model, {ForeignLayerError} of `@rebatch/layers` for one of another copy of tfjs-layers.
 * @throws (rejects) the signal's reason, or what the data throws.
 */
export async function trainReplicas(
  model: tfl.LayersModel,
  data: TrainingData,
  options: TrainReplicasOptions,
): Promise<TrainReport> {
  checkLayer('trainReplicas', model);
  checkOptions(data, options, busy);
  options.signal?.throwIfAborted();
  const own = [...options.workers];
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
  const coordinator = new Coordinator(workers, names, timeoutMs);
  const abort = () => coordinator.stop('Training was aborted.');
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) abort();
    await coordinator.join(packed);
    const history = await makeSteps(coordinator, model, data, options);
    const state = await coordinator.finish();
    await writeState(model, state);
    return history.report();
  } catch (error) {
    coordinator.stop('Training has ended with an error.');
    const state = await coordinator.survivors();
    if (state !== undefined && state.steps > 0) await writeState(model, state);
    signal?.throwIfAborted();
    throw error instanceof ReplicaError ? withSteps(error, state?.steps) : error;
  } finally {
    signal?.removeEventListener('abort', abort);
    coordinator.close();
  }
}

async function makeSteps(
  coordinator: Coordinator,
  model: tfl.LayersModel,
  data: TrainingData,
  { workers, epochs = 1, steps = Number.POSITIVE_INFINITY, shares, onProgress }: TrainReplicasOptions,
): Promise<History> {
  const history = new History(model.metricsNames);
  const parts = shares ?? workers.map(() => 1);
  const ahead: (() => Promise<void>)[] = [];
  let step = 0;
  for (let epoch = 0; epoch < epochs && step < steps; epoch++) {
    const before = step;
    for await (const batch of whileWhole(coordinator, readBatches(data))) {
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
    const bounds = boundaries(batch.samples, parts);
    const made = coordinator.step(step, (rank) => ({
      batch: shardOf(batch, bounds[rank]!, bounds[rank + 1]!),
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
function whileWhole<Batch>(coordinator: Coordinator, batches: AsyncGenerator<Batch>): AsyncIterable<Batch> {
  const next = async () => {
    try {
      return await coordinator.during(batches.next());
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

function withSteps({ message, rank, failure }: ReplicaError, steps: number | undefined): ReplicaError {
  const where =
    steps === undefined
      ? 'No replica is left that knows the weights: the model is as it was before.'
      : `The model has the weights after ${steps} whole step${steps === 1 ? '' : 's'}.`;
  return new ReplicaError(`trainReplicas: ${message} ${where}`, { rank, failure, steps: steps ?? 0 });
}
