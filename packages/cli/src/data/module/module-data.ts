// Samples of a JavaScript module: for data that lies in none of the files that are read here.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { RebatchError } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import { DataError } from '../../errors.ts';
import { sampleWriter } from '../../preprocessing/prepare.ts';
import type { BadSample, BatchInput, Data, ReadOptions, SampleBatch } from '../data.ts';
import { type DataDescription, inputDescribed } from '../description.ts';
import { flawIn, leftOut } from '../finite.ts';
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
    labels = false,
    signal,
  }: ReadOptions): AsyncGenerator<SampleBatch, void, undefined> {
    const elements = elementsOf(path, () =>
      ranges ? ranges.read({ from, to, batchSize }) : iterableOf(path, exported),
    );
    let at = ranges ? from : 0;
    for await (const element of elements) {
      signal?.throwIfAborted();
      const batch = toBatch(readElement(element, `${path}, batch at sample ${at}`, labels), description, at);
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
    nameOf: (position) => nameOf(path, position),
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

const nameOf = (path: string, position: number) => `sample ${position} of ${path}`;

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

/** @throws {DataError} for what the program of the module throws, naming the module. */
async function* elementsOf(
  path: string,
  begin: () => AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<unknown, void, undefined> {
  try {
    yield* begin();
  } catch (error) {
    if (error instanceof RebatchError) throw error;
    const reason = error instanceof Error ? error.message : shown(error);
    throw new DataError(`${path} failed while its samples were read: ${reason}`, { cause: error });
  }
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

/** @throws {DataError} for a sample that is not finite, unless such are left out. */
function toBatch(element: ModuleBatch, description: DataDescription, from: number): SampleBatch {
  const { preprocessing } = description;
  const all = element.inputs[0]!.shape[0]!;
  const { good, bad } = sorted(element, description, from);
  const count = good.length;
  const inputs = element.inputs.map(({ name, shape, values }): BatchInput => {
    const { dtype, layout } = inputDescribed(description, name);
    const first = layout === 'nchw' && shape.length === 4;
    const channels = first ? shape[1]! : shape.at(-1)!;
    const perSample = values.length / all;
    const into = new Float32Array(count * perSample);
    const write = sampleWriter(preprocessing, shape.length === 1 ? 1 : channels, first ? 'already' : 'no');
    for (const [slot, i] of good.entries()) write(sampleOf(values, i, perSample), into, slot * perSample);
    return { name, dtype, shape: [count, ...shape.slice(1)], values: into };
  });
  const { labels } = element;
  return {
    from,
    to: from + all,
    count,
    positions: Int32Array.from(good, (i) => from + i),
    inputs,
    labels: labels && Int32Array.from(good, (i) => labels[i]!),
    bad,
  };
}

const sampleOf = (values: Float32Array, i: number, size: number) => values.subarray(i * size, (i + 1) * size);

/** Which samples of a batch, by their places in it, can be used, and which are left out. */
function sorted(
  { inputs }: ModuleBatch,
  { source: { path }, skipBad }: DataDescription,
  from: number,
): { readonly good: readonly number[]; readonly bad: readonly BadSample[] } {
  const all = inputs[0]!.shape[0]!;
  const [good, bad] = [[] as number[], [] as BadSample[]];
  for (let i = 0; i < all; i++) {
    const flaws = inputs.map(({ values }) => flawIn(sampleOf(values, i, values.length / all)));
    const reason = flaws.find((flaw) => flaw !== undefined);
    if (reason === undefined) good.push(i);
    else bad.push(leftOut({ position: from + i, name: nameOf(path, from + i), reason }, skipBad));
  }
  return { good, bad };
}
