// Recalibrating in parts: here, on threads, or by a queue; and going on from where a run was killed.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { MeasurePass } from '@rebatch/recalibrate/shards';
import { recalibrateFromShards } from '@rebatch/recalibrate/shards';
import { type CheckpointIdentity, removeCheckpoint } from '../../checkpoint/checkpoint.ts';
import { type CheckpointKeeper, isResultOf, keepCheckpoint } from '../../checkpoint/keeper.ts';
import type { BadSample } from '../../data/data.ts';
import { DataError, UsageError } from '../../errors.ts';
import type { Streams } from '../../io.ts';
import { isAddress } from '../../model/paths.ts';
import { readBadSample } from '../../parts/bad-samples.ts';
import { measureWith } from '../../parts/measure-pass.ts';
import { modelDigest } from '../../parts/model-digest.ts';
import { measurerOf } from '../../parts/open-task.ts';
import { batchesOfTask, type MeasuringTask, rangeOf } from '../../parts/task.ts';
import { checkSamples, type Session } from '../../session.ts';
import { ESTIMATORS } from '../estimators.ts';
import { checkCanBeRecalibrated, type InPartsFlags } from '../recalibration.ts';
import type { Begun, RepairOptions } from '../repair.ts';

/**
 * Opens the checkpoint, if there is one; the rest begins with the repair.
 *
 * @throws {UsageError} for flags that do not go together; {DataError} for data that has no ranges, or a checkpoint of another
 *   run; {OutputError} if the checkpoint cannot be written.
 */
export async function beginInParts(session: Session, flags: InPartsFlags, streams: Streams): Promise<Begun> {
  checkFlags(flags);
  checkCanBeRecalibrated(session);
  const task = await taskOf(session, flags);
  const identity = identityOf(task, flags);
  const { checkpoint, checkpointEvery } = flags;
  const done = checkpoint !== undefined && isResultOf(checkpoint, identity, task.model.digest);
  const keeper =
    checkpoint === undefined || done
      ? undefined
      : keepCheckpoint(checkpoint, identity, checkpointEvery, session.bad);
  if (done) removeCheckpoint(checkpoint);
  if (keeper?.state !== undefined) session.note(`Going on from ${checkpoint}.`);
  return {
    done,
    mayReplace: keeper?.finished === true,
    repair: (_, __, options) => recalibrateInParts(session, task, identity, flags, streams, options, keeper),
    async writing(opened) {
      const { format } = session.loaded.opened;
      keeper?.finish(modelDigest({ format, artifacts: await opened() }));
    },
    written: () => keeper?.remove(),
    undo: () => keeper?.undo(),
    async close() {},
  };
}

function checkFlags({ queue, workers, samples }: InPartsFlags): void {
  if (queue === undefined) return;
  if (workers !== undefined) {
    throw new UsageError(
      '--workers and --queue: say one. On each machine, start as many of rebatch worker as it has cores.',
    );
  }
  if (samples === 'auto') {
    throw new UsageError(
      '--samples auto does not go with --queue, where a pass is enqueued as a whole. Say how many.',
    );
  }
}

async function taskOf(session: Session, flags: InPartsFlags): Promise<MeasuringTask> {
  const { loaded, data, description, batchSize, count } = session;
  const { samples, mode, backend } = flags;
  if (count === null) {
    throw new DataError(
      '--workers, --checkpoint and --queue need data that can be read by ranges. Let the module export { count, read }.',
    );
  }
  if (typeof samples === 'number') checkSamples(samples, count);
  // Mode batch takes whole batches, as without parts.
  const wanted = typeof samples === 'number' ? session.positions(samples) : count;
  const positions = mode === 'batch' ? Math.min(count, Math.ceil(wanted / batchSize) * batchSize) : wanted;
  return {
    version: 1,
    model: {
      path: isAddress(loaded.path) ? loaded.path : resolve(loaded.path),
      digest: modelDigest(loaded.opened),
    },
    ...{ backend, data: description, fingerprint: await data.fingerprint(), positions, batchSize, mode },
  } as MeasuringTask;
}

/** What the result depends on, apart from who computes it. */
function identityOf(task: MeasuringTask, flags: InPartsFlags): CheckpointIdentity {
  const { samples, estimator, prior, tolerance } = flags;
  return {
    model: task.model.digest,
    data: task.fingerprint,
    mode: task.mode,
    'batch size': String(task.batchSize),
    samples: samples === 'auto' ? `auto, to ${tolerance}` : String(task.positions),
    estimator,
    prior: String(prior),
    backend: task.backend,
  };
}

async function recalibrateInParts(
  session: Session,
  task: MeasuringTask,
  identity: CheckpointIdentity,
  flags: InPartsFlags,
  { signal }: Streams,
  options: RepairOptions,
  keeper: CheckpointKeeper | undefined,
) {
  const { loaded } = session;
  const { measure, close } = await measuring(session, task, identity, flags, signal);
  const { estimator, mode, prior, samples, tolerance } = flags;
  try {
    return await recalibrateFromShards(
      loaded.normalized(),
      measure,
      {
        ...{ mode, prior, tolerance, samples: samples === 'auto' ? 'auto' : 'all' },
        ...{ estimator: ESTIMATORS[estimator], signal, onProgress: options.onProgress },
      },
      {
        expectedSamples: task.positions,
        ...(keeper?.state && { state: keeper.state }),
        ...(keeper && { onState: keeper.onState }),
      },
    );
  } finally {
    await close();
  }
}

/** Who measures. */
async function measuring(
  session: Session,
  task: MeasuringTask,
  identity: CheckpointIdentity,
  flags: InPartsFlags,
  signal: AbortSignal,
): Promise<{ readonly measure: MeasurePass; close(): Promise<void> }> {
  const { loaded, data } = session;
  const onBad = (one: BadSample) => void session.bad.set(one.position, one);
  const { queue: url, queueName: name, workers, attempts, shardBatches } = flags;
  if (url !== undefined) {
    const { enqueueShards } = await import('@rebatch/bullmq');
    const nameShard = (first: number, batches: number) => {
      const { from, to } = rangeOf(task, { first, batches });
      return `samples ${from} to ${to - 1} (${data.nameOf(from)} to ${data.nameOf(to - 1)})`;
    };
    const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
    const queue = enqueueShards(
      { url, name, patience: Math.ceil(1000 * flags.patience) },
      {
        id,
        task,
        batches: batchesOfTask(task),
        attempts,
        shardBatches,
        nameShard,
        onShards: showShards(session),
        onRemark: (one) => onBad(readBadSample(one)),
      },
    );
    return { measure: queue.measure, close: () => queue.close() };
  }
  if (workers !== undefined) {
    const { startWorkers } = await import('../../workers/pool.ts');
    const pool = await startWorkers(workers, task);
    return { measure: measureWith(pool.measurers, task, onBad), close: pool.close };
  }
  const measurer = measurerOf(loaded, data, task, signal);
  return { measure: measureWith([measurer], task, onBad), close: measurer.close };
}

function showShards({ progress }: Session) {
  return ({ pass, done, total }: { readonly pass: number; readonly done: number; readonly total: number }) =>
    progress.show(`parts of pass ${pass}`, done, total);
}
