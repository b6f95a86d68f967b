/** A stream of batches to read once, from any kind of data that `recalibrate` takes, cut to size on the way. */
import { InsufficientDataError, InvalidDataError, type RecalibrationData } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import { cloned, disposeBatch, mapTensors, samplesIn, tensorsIn } from './tensors.ts';

/**
 * Batches to inspect with: a `tf.data.Dataset` of batches, an iterable or async iterable of them, or an array; each a
 * tensor (for several inputs an array or object of tensors) or `{xs, ys}`. A single tensor is one batch. Tensors that
 * are pulled from a dataset or an iterable are disposed after use; those of an array stay the caller's.
 */
export type InspectionData = RecalibrationData;

/**
 * The batches of the data. Whoever pulls one disposes it.
 *
 * @throws {InvalidDataError} (on the first pull) for data of another kind, or without an end where all is asked for.
 */
export async function* batchesOf(
  data: InspectionData,
  { batchSize, all }: { batchSize?: number | undefined; all: boolean },
): AsyncGenerator<unknown, void, undefined> {
  const source = open(data, all);
  if (batchSize === undefined) yield* source;
  else yield* recut(source, batchSize);
}

async function* open(data: InspectionData, all: boolean): AsyncGenerator<unknown, void, undefined> {
  if (data instanceof tf.Tensor) {
    yield cloned(data);
  } else if (Array.isArray(data)) {
    for (const batch of data) yield cloned(batch);
  } else if (isObject(data) && 'iterator' in data && typeof data.iterator === 'function') {
    if (all && data.size === Number.POSITIVE_INFINITY) {
      throw new InvalidDataError(
        "The dataset repeats for ever, so samples: 'all' would never end. Say how many samples, or 'auto'.",
      );
    }
    const iterator = await data.iterator();
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } else if (isObject(data) && (Symbol.asyncIterator in data || Symbol.iterator in data)) {
    yield* data as AsyncIterable<unknown>;
  } else {
    throw new InvalidDataError(
      'Expected data as a tf.data.Dataset, an (async) iterable of batches, an array of batches or a tensor, ' +
        `got ${isObject(data) ? 'another object' : String(data)}. Put a single {xs, ys} into an array.`,
    );
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Part of a batch that was not handed on yet. */
interface Piece {
  readonly batch: unknown;
  readonly samples: number;
  from: number;
}

/** Cuts and joins batches to `size` samples; leaves out what remains at the end. */
async function* recut(
  source: AsyncIterable<unknown>,
  size: number,
): AsyncGenerator<unknown, void, undefined> {
  const pieces: Piece[] = [];
  let have = 0;
  let seen = 0;
  try {
    for await (const batch of source) {
      const samples = samplesIn(batch);
      // Not a batch: handed on as it is, for the error that names what is wrong with it.
      if (samples === undefined) {
        yield batch;
        continue;
      }
      pieces.push({ batch, samples, from: 0 });
      have += samples;
      seen += samples;
      for (; have >= size; have -= size) yield take(pieces, size);
    }
  } finally {
    for (const { batch } of pieces) disposeBatch(batch);
  }
  if (seen > 0 && seen < size) {
    throw new InsufficientDataError(
      `Expected at least one batch of ${size} samples, but the data has ${seen}.`,
    );
  }
}

function take(pieces: Piece[], size: number): unknown {
  const parts: unknown[] = [];
  const used: unknown[] = [];
  return tf.tidy(() => {
    for (let left = size; left > 0; ) {
      const piece = pieces[0]!;
      const count = Math.min(left, piece.samples - piece.from);
      const { from } = piece;
      parts.push(mapTensors(piece.batch, (tensor) => tf.slice(tensor, from, count)));
      piece.from += count;
      left -= count;
      if (piece.from === piece.samples) used.push(pieces.shift()!.batch);
    }
    used.forEach(disposeBatch);
    const joined = join(parts);
    // A tidy keeps what it finds in its result.
    return joined as tf.TensorContainer;
  });
}

/**
 * Batches of one structure, one after the other; tidy it.
 *
 * @throws {InvalidDataError} if they differ in more than their number of samples.
 */
export function join(batches: readonly unknown[]): unknown {
  if (batches.length === 1) return batches[0];
  const columns = batches.map(tensorsIn);
  const shape = (tensors: readonly tf.Tensor[]) =>
    tensors.map((tensor) => `${tensor.dtype} [${['?', ...tensor.shape.slice(1)].join(', ')}]`).join(', ');
  const odd = columns.find((tensors) => shape(tensors) !== shape(columns[0]!));
  if (odd) {
    throw new InvalidDataError(
      `Expected batches of the same kind, to join them to the batch size asked for; got ${shape(columns[0]!)} ` +
        `and ${shape(odd)}.`,
    );
  }
  let at = 0;
  return mapTensors(batches[0], () => {
    const column = at++;
    return tf.concat(columns.map((tensors) => tensors[column]!));
  });
}
