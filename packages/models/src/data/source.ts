// Where batches come from: one view of datasets, iterables and arrays, and who disposes what.
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { InvalidDataError } from '../errors.ts';

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
export type RecalibrationData = tf.Tensor | Elements<DataBatch>;

/** What has elements, one after the other: batches, for one. */
export type Elements<T> = DatasetLike | Iterable<T> | AsyncIterable<T>;

/** Data that can be opened once per pass. */
export interface Source {
  /** Whether its tensors are ours to dispose. */
  readonly owned: boolean;
  /** Whether it can be read again from the start. */
  readonly repeatable: boolean;
  /** Whether it is known to have no end. */
  readonly endless: boolean;
  /** How many batches it has, where that is known. */
  readonly batches?: number;
  open(): Promise<BatchIterator>;
}

interface BatchIterator {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
  return?(): unknown;
}

/** @throws {InvalidDataError} if `data` is none of the kinds of {@link RecalibrationData}. */
export function openSource(data: RecalibrationData): Source {
  const source = sourceOf(data instanceof tf.Tensor ? [data] : data);
  if (source !== undefined) return source;
  const came = typeof data === 'object' && data !== null ? `an object with ${keysOf(data)}` : shown(data);
  throw new InvalidDataError(
    'Expected data as a tf.data.Dataset, an (async) iterable of batches, an array of batches or a tensor, ' +
      `got ${came}. Put a single {xs, ys} into an array.`,
  );
}

/** Data whose elements are anything; undefined for what has none. */
export function sourceOf(data: unknown): Source | undefined {
  if (Array.isArray(data)) {
    return {
      owned: false,
      repeatable: true,
      endless: false,
      batches: data.length,
      open: async () => data.values(),
    };
  }
  if (typeof data !== 'object' || data === null) return undefined;
  const kinds = data as Partial<DatasetLike & AsyncIterable<unknown> & Iterable<unknown>>;
  if (typeof kinds.iterator === 'function') {
    const endless = kinds.size === Number.POSITIVE_INFINITY;
    return { owned: true, repeatable: true, endless, open: () => kinds.iterator!() };
  }
  if (Symbol.asyncIterator in data) return iterableSource(data, () => kinds[Symbol.asyncIterator]!());
  if (Symbol.iterator in data) return iterableSource(data, () => kinds[Symbol.iterator]!());
  return undefined;
}

function iterableSource(data: object, make: () => BatchIterator): Source {
  // A generator returns itself, and can be run through once only. Iterators have next(); collections do not.
  const oneShot = typeof (data as { next?: unknown }).next === 'function';
  return { owned: true, repeatable: !oneShot, endless: false, open: async () => make() };
}

/**
 * Runs through a source once, and closes it when the loop is left early. Throws the signal's reason as soon as it
 * aborts, also while the source has nothing to give; what it gives later is disposed.
 */
export async function* elementsOf(
  source: Source,
  signal?: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  const discard = (late: IteratorResult<unknown>) => {
    if (source.owned && !late.done) tf.dispose(late.value as tf.TensorContainer);
  };
  const iterator = await unlessAborted(source.open(), signal, close);
  // An iterator that has ended or thrown is closed already, and its return() could only hide what it threw.
  let open = true;
  try {
    for (;;) {
      open = false;
      const next = await unlessAborted(
        // Called inside of a promise, so that a synchronous throw is handled the same.
        (async () => iterator.next())(),
        signal,
        discard,
        () => close(iterator),
      );
      if (next.done) return;
      open = true;
      yield next.value;
    }
  } finally {
    if (open) {
      if (signal?.aborted) close(iterator);
      else await iterator.return?.();
    }
  }
}

/** Closes an iterator without waiting: it may be stuck, and the caller has its reason to leave already. */
function close(iterator: BatchIterator): void {
  (async () => iterator.return?.())().catch(() => {});
}

/** What `work` resolves to; if the signal aborts before, throws its reason, and `late` gets what comes after all. */
async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: (value: T) => void,
  onAbort?: () => void,
): Promise<T> {
  if (!signal) return work;
  let stop = () => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    stop = () => resolve('aborted');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    const first = await Promise.race([work.then((value) => ({ value })), aborted]);
    if (first !== 'aborted') return first.value;
    work.then(late, () => {});
    onAbort?.();
    throw signal.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The names of an object's members, for messages. */
export function keysOf(value: object): string {
  const keys = Object.keys(value);
  return keys.length === 0 ? 'no members' : `members ${keys.slice(0, 5).join(', ')}`;
}
