// Batches for data-parallel training: where they come from, and which of their samples each replica gets.
import { type Elements, elementsOf, sourceOf } from '@rebatch/models/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { ReplicaSetupError } from '../errors.ts';
import { type PackedBatch, pack, type TrainingBatch } from '../messages/packed-batch.ts';

/**
 * Batches to train on, as `fitDataset` takes them: a `tf.data.Dataset` of `{xs, ys}`, an iterable or async iterable, or
 * an array. Tensors that come from a dataset or an iterable are disposed after use; those of an array are not.
 */
export type TrainingData = Elements<TrainingBatch>;

/** The batches of one epoch, read from their tensors. To be cut before the next one is asked for. */
export async function* readBatches(data: TrainingData): AsyncGenerator<PackedBatch, void, undefined> {
  const source = sourceOf(data) ?? refuse(data);
  for await (const batch of elementsOf(source)) {
    try {
      yield await pack(batch);
    } finally {
      if (source.owned) tf.dispose(batch as tf.TensorContainer);
    }
  }
}

/** Whether data can be gone through several times. That it is data at all is found out when it is read. */
export function isRepeatable(data: TrainingData): boolean {
  return sourceOf(data)?.repeatable ?? true;
}

/**
 * How many samples each replica gets: in proportion to the shares, all of them together.
 *
 * @returns where the shards begin, and where the last one ends.
 */
export function boundaries(samples: number, shares: readonly number[]): number[] {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const upTo = (end: number) => shares.slice(0, end).reduce((sum, share) => sum + share, 0);
  return Array.from({ length: shares.length + 1 }, (_, end) => Math.round((upTo(end) / whole) * samples));
}

function refuse(data: unknown): never {
  throw new ReplicaSetupError(
    'trainReplicas: expected data as a tf.data.Dataset, an (async) iterable of batches or an array of batches {xs, ys}, ' +
      `got ${shown(data)}. Put a single batch into an array.`,
  );
}
