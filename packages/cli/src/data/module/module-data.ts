// Samples of a JavaScript module: for data that lies in none of the files that are read here.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { shown } from '@rebatch/stats/~internal';
import { DataError } from '../../errors.ts';
import { sampleWriter } from '../../preprocessing/prepare.ts';
import type { BatchInput, Data, ReadOptions, SampleBatch } from '../data.ts';
import { type DataDescription, inputDescribed } from '../description.ts';
import { type ModuleBatch, readElement } from './element.ts';

interface RandomAccess {
  readonly count: number;
  readonly classes: readonly string[] | null;
  read(range: { from: number; to: number; batchSize: number }): AsyncIterable<unknown> | Iterable<unknown>;
}

/**
 * A module's default export: an (async) iterable of batches, a function that makes one, or, for reading ranges on several
 * threads or machines, `{ count, read({ from, to, batchSize }) }`, whose `read` gives an (async) iterable of batches of
 * `batchSize` samples, the last one smaller. A batch is `{ values, shape, labels }`, or several such inputs by name:
 * `{ inputs: { left: { values, shape }, right: ... }, labels }`; tensors of TensorFlow.js stand for values and shape.
 */
export async function moduleData(description: DataDescription): Promise<Data> {
  const { path } = description.source;
  const exported = await load(path);
  const ranges = isRandomAccess(exported) ? exported : undefined;

  async function* read({
    from,
    to,
    batchSize,
    signal,
  }: ReadOptions): AsyncGenerator<SampleBatch, void, undefined> {
    const elements = ranges ? ranges.read({ from, to, batchSize }) : iterableOf(path, exported);
    let at = ranges ? from : 0;
    for await (const element of elements) {
      signal?.throwIfAborted();
      const batch = toBatch(readElement(element, `${path}, batch at sample ${at}`), description, at);
      if (ranges && batch.to > to) {
        throw new DataError(`${path}: expected samples ${from} to ${to} of read(), got more.`);
      }
      at = batch.to;
      yield batch;
    }
    if (ranges && at !== to) {
      throw new DataError(
        `${path}: expected ${to - from} samples of read({ from: ${from}, to: ${to} }), got ${at - from}.`,
      );
    }
  }

  return {
    count: ranges?.count ?? null,
    classes: ranges?.classes ?? null,
    labelled: null,
    sampleShape: null,
    nameOf: (position) => `sample ${position} of ${path}`,
    read,
    async fingerprint() {
      const hash = createHash('sha256').update(JSON.stringify({ ...description, source: 'module' }));
      return hash.update(await readFile(path)).digest('hex');
    },
    async thumbnail() {
      return undefined;
    },
    async close() {},
  };
}

async function load(path: string): Promise<unknown> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new DataError(`${path} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
  if (loaded.default !== undefined) return loaded.default;
  throw new DataError(`${path}: expected a default export, an (async) iterable of batches, got none.`);
}

function isRandomAccess(value: unknown): value is RandomAccess {
  const { count, read } = (value ?? {}) as Partial<Record<string, unknown>>;
  return Number.isSafeInteger(count) && (count as number) > 0 && typeof read === 'function';
}

function iterableOf(path: string, exported: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  // The check of the preprocessing and the command itself read it, each from its beginning.
  if (typeof (exported as { next?: unknown } | null)?.next === 'function') {
    throw new DataError(
      `${path}: its default export is a generator that was called already, which can be read only once. Export the ` +
        'function itself.',
    );
  }
  const value: unknown = typeof exported === 'function' ? exported() : exported;
  if (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  ) {
    return value as AsyncIterable<unknown>;
  }
  throw new DataError(
    `${path}: expected its default export to be an (async) iterable of batches, a function that makes one, or { count, ` +
      `read }, got ${shown(value)}.`,
  );
}

function toBatch(element: ModuleBatch, description: DataDescription, from: number): SampleBatch {
  const { preprocessing } = description;
  const count = element.inputs[0]!.shape[0]!;
  const inputs = element.inputs.map(({ name, shape, values }): BatchInput => {
    const { dtype, layout } = inputDescribed(description, name);
    const first = layout === 'nchw' && shape.length === 4;
    const channels = first ? shape[1]! : shape.at(-1)!;
    const into = new Float32Array(values.length);
    const perSample = values.length / count;
    const write = sampleWriter(preprocessing, shape.length === 1 ? 1 : channels, first ? 'already' : 'no');
    for (let i = 0; i < count; i++)
      write(values.subarray(i * perSample, (i + 1) * perSample), into, i * perSample);
    return { name, dtype, shape, values: into };
  });
  return {
    from,
    to: from + count,
    count,
    positions: Int32Array.from({ length: count }, (_, i) => from + i),
    inputs,
    labels: element.labels,
    bad: [],
  };
}
