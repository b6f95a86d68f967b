// Measuring parts of the data: with a model and data that are open, or that a task names.
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type MeasuredShard,
  type ShardMeasurer,
  type ShardRequest,
  shardMeasurer,
} from '@rebatch/recalibrate/shards';
import pLimit from 'p-limit';
import type { BadSample, Data } from '../data/data.ts';
import { openData } from '../data/open-data.ts';
import { toTensors } from '../data/tensors.ts';
import { wholeBatches } from '../data/whole-batches.ts';
import { DataError, ModelUseError } from '../errors.ts';
import { startBackend } from '../model/backend.ts';
import { type LoadedModel, loadModel } from '../model/load-model.ts';
import { modelDigest } from './model-digest.ts';
import { type MeasuringTask, rangeOf, readTask } from './task.ts';

/** What a part gave, and what could not be read of it. */
export interface MeasuredPart {
  readonly shard: MeasuredShard;
  readonly bad: readonly BadSample[];
}

/** Measures parts, several at a time if need be: while one computes, the next is decoded. */
export interface PartMeasurer {
  measure(request: ShardRequest): Promise<MeasuredPart>;
  close(): Promise<void>;
}

/** Measures with a model and data that are open; they stay open. */
export function measurerOf(
  { normalized }: Pick<LoadedModel, 'normalized'>,
  data: Data,
  task: MeasuringTask,
  signal: AbortSignal,
): PartMeasurer {
  const model = normalized();
  const order = model.inputs.map(({ name }) => name);
  const measurer: ShardMeasurer = shardMeasurer(model, { mode: task.mode, signal });
  // Between two batches this thread hears what else it is asked for, so that it is read while the second one computes.
  const inTurn = pLimit(1);
  return {
    async measure(request) {
      const bad = new Map<number, BadSample>();
      const range = rangeOf(task, request);
      const batches = {
        async *[Symbol.asyncIterator]() {
          for await (const batch of data.read({ ...range, batchSize: task.batchSize, signal })) {
            for (const one of batch.bad) bad.set(one.position, one);
            if (batch.count === 0) continue;
            await inTurn(() => nextTurn());
            yield toTensors(batch, false, order);
          }
        },
      };
      const shard = await measurer.measure(request, batches);
      return { shard, bad: [...bad.values()] };
    },
    async close() {
      measurer.dispose();
    },
  };
}

/**
 * Opens what a task names, on this thread or machine.
 *
 * @throws {DataError} for a task that is none, or if the data that is found is not that of the task; {ModelUseError} if the
 *   model is not; and what opening either throws.
 */
export async function openTask(value: unknown, signal: AbortSignal): Promise<PartMeasurer> {
  const task = readTask(value);
  await startBackend(task.backend);
  const loaded = await loadModel(task.model.path, { signal });
  try {
    loaded.leaveFolded();
    if (modelDigest(loaded.opened) !== task.model.digest) {
      throw new ModelUseError(
        `${task.model.path} is another model here than where the run was started: its weights or layers differ.`,
      );
    }
    const data = wholeBatches(await openData(task.data), loaded.fixedBatch);
    try {
      if ((await data.fingerprint()) !== task.fingerprint) {
        throw new DataError(
          `${task.data.source.path} holds other data here than where the run was started: other files, or of other sizes.`,
        );
      }
      const measurer = measurerOf(loaded, data, task, signal);
      return {
        measure: measurer.measure,
        async close() {
          await measurer.close();
          await data.close();
          loaded.dispose();
        },
      };
    } catch (error) {
      await data.close();
      throw error;
    }
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}
