/** Where batches come from: one view of datasets, iterables and arrays, and who disposes what. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidDataError } from './errors.ts';

/** The inputs of one batch: a tensor, or for models with several inputs a list or an object keyed by input name. */
export type BatchInputs = tf.Tensor | readonly tf.Tensor[] | { readonly [input: string]: tf.Tensor };

/** One batch; `ys` (labels) are ignored. */
export type DataBatch = BatchInputs | { readonly xs: BatchInputs; readonly ys?: unknown };

/** What is used of a `tf.data.Dataset`. */
export interface DatasetLike {
  /** How many batches, where known; `Infinity` for a dataset that repeats for ever. */
  readonly size?: number | null;
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>;
}

/**
 * Batches to compute statistics from: a `tf.data.Dataset` of batches, an iterable or async iterable of them, or an
 * array. A single tensor is one batch. Tensors that are pulled from a dataset or an iterable are disposed after use,
 * as `fitDataset` does; those of an array stay the caller's.
 */
export type RecalibrationData = tf.Tensor | DatasetLike | Iterable<DataBatch> | AsyncIterable<DataBatch>;

/** Data that can be opened once per pass. */
export interface Source {
  /** Whether its tensors are ours to dispose. */
  readonly owned: boolean;
  /** Whether it can be read again from the start. */
  readonly repeatable: boolean;
  /** Whether it is known to have no end. */
  readonly endless: boolean;
  open(): Promise<BatchIterator>;
}

interface BatchIterator {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
  return?(): unknown;
}

/** @throws {InvalidDataError} if `data` is none of the kinds of {@link RecalibrationData}. */
export function openSource(data: RecalibrationData): Source {
  if (data instanceof tf.Tensor) return openSource([data]);
  if (Array.isArray(data)) {
    return { owned: false, repeatable: true, endless: false, open: async () => data.values() };
  }
  if (typeof data === 'object' && data !== null) {
    if ('iterator' in data && typeof data.iterator === 'function') {
      const dataset = data;
      const endless = dataset.size === Number.POSITIVE_INFINITY;
      return { owned: true, repeatable: true, endless, open: () => dataset.iterator() };
    }
    if (Symbol.asyncIterator in data) {
      return iterableSource(data, () => data[Symbol.asyncIterator]());
    }
    if (Symbol.iterator in data) {
      return iterableSource(data, () => data[Symbol.iterator]());
    }
  }
  const came = typeof data === 'object' && data !== null ? `an object with ${keysOf(data)}` : String(data);
  throw new InvalidDataError(
    'Expected data as a tf.data.Dataset, an (async) iterable of batches, an array of batches or a tensor, ' +
      `got ${came}. Put a single {xs, ys} into an array.`,
  );
}

function iterableSource(data: object, make: () => BatchIterator): Source {
  // A generator returns itself, and can be run through once only. Iterators have next(); collections do not.
  const oneShot = typeof (data as { next?: unknown }).next === 'function';
  return { owned: true, repeatable: !oneShot, endless: false, open: async () => make() };
}

/** Runs through a source once, and closes it when the loop is left early. */
export async function* elementsOf(source: Source): AsyncGenerator<unknown, void, undefined> {
  const iterator = await source.open();
  let ended = false;
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

/** The names of an object's members, for messages. */
export function keysOf(value: object): string {
  const keys = Object.keys(value);
  return keys.length === 0 ? 'no members' : `members ${keys.slice(0, 5).join(', ')}`;
}
