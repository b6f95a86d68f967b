// A stream of batches to read once, from any kind of data that `recalibrate` takes, cut to size on the way.
import {
  type Batch,
  type Endpoint,
  InvalidDataError,
  type NormalizedModel,
  type RecalibrationData,
} from '@rebatch/models';
import { elementsOf, openSource, readInputs } from '@rebatch/models/~internal';
import { InsufficientDataError } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import { LabelsError } from './errors.ts';
import { labelledOutput } from './labelled-output.ts';
import { checkLabels } from './labels.ts';
import { cloned, tensorsIn } from './tensors.ts';

/**
 * Batches to inspect with: a `tf.data.Dataset` of batches, an iterable or async iterable of them, or an array; each a
 * tensor (for several inputs an array or object of tensors) or `{xs, ys}`. A single tensor is one batch. Tensors that
 * are pulled from a dataset or an iterable are disposed after use; those of an array stay the caller's.
 */
export type InspectionData = RecalibrationData;

/** One batch of what is inspected. Dispose its tensors. */
export interface InspectedBatch {
  /** In the order of the model's inputs. */
  readonly inputs: readonly tf.Tensor[];
  /** In the shape of the model's output, or as classes; undefined where errors are not measured. */
  readonly ys: tf.Tensor | undefined;
  readonly samples: number;
  /** The inputs' shapes without their batch axis: only batches with the same can be joined. */
  readonly signature: string;
}

/** How to read data. */
export interface ReadOptions {
  /** To cut and join to. */
  readonly batchSize: number | undefined;
  /** Whether there are labels to read; `'auto'`: if the first batch has some. */
  readonly labels: 'auto' | boolean;
  /** Whether all of the data is asked for. */
  readonly all: boolean;
}

/**
 * The batches of the data, read as the model's inputs: by their names where they have some, whatever else an element
 * carries. Whoever pulls one disposes it.
 *
 * @throws {InvalidDataError} (on the first pull) for data of another kind, or without an end where all is asked for; the
 *   errors of `readBatch`; {LabelsError} for labels that end, or that do not fit the model's output.
 */
export async function* batchesOf(
  data: InspectionData,
  model: NormalizedModel,
  { batchSize, labels, all }: ReadOptions,
): AsyncGenerator<InspectedBatch, void, undefined> {
  // What is cut and joined may come in batches of any size, whatever the model takes.
  const inputs = model.inputs.map((input) =>
    batchSize === undefined ? input : { ...input, shape: [null, ...input.shape.slice(1)] },
  );
  const source = read(open(data, all), model, inputs, labels);
  if (batchSize === undefined) yield* source;
  else yield* recut(source, batchSize);
}

async function* open(data: InspectionData, all: boolean): AsyncGenerator<unknown, void, undefined> {
  const source = openSource(data);
  if (all && source.endless) {
    throw new InvalidDataError(
      "The dataset repeats for ever, so samples: 'all' would never end. Say how many samples, or 'auto'.",
    );
  }
  for await (const element of elementsOf(source)) yield source.owned ? element : cloned(element);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

async function* read(
  elements: AsyncIterable<unknown>,
  model: NormalizedModel,
  expected: readonly Endpoint[],
  labels: 'auto' | boolean,
): AsyncGenerator<InspectedBatch, void, undefined> {
  let labeled = labels === true;
  let index = 0;
  for await (const element of elements) {
    let batch: InspectedBatch;
    try {
      const read = readInputs(element, expected, `Batch ${index}`);
      const { inputs, samples, signature } = read;
      const came = labelsIn(element, model);
      if (index === 0 && labels === 'auto') labeled = came !== undefined;
      const ys = labeled ? labelsOf(came, model, read, index) : undefined;
      // Labels may be the inputs themselves, and are disposed apart.
      batch = { inputs, ys: ys && inputs.includes(ys) ? tf.clone(ys) : ys, samples, signature };
    } catch (error) {
      tf.dispose(tensorsIn(element));
      throw error;
    }
    const used = new Set<tf.Tensor>([...batch.inputs, ...(batch.ys ? [batch.ys] : [])]);
    tf.dispose(tensorsIn(element).filter((tensor) => !used.has(tensor)));
    index += 1;
    yield batch;
  }
}

function labelsOf(ys: unknown, model: NormalizedModel, batch: Batch, index: number): tf.Tensor {
  if (ys === undefined) {
    throw new LabelsError(
      `Batch ${index}: expected {xs, ys}${index > 0 ? ', as batch 0 was' : ''}, got no ys. ` +
        'Give all batches labels, or inspect without errors: labels: false.',
    );
  }
  return checkLabels(ys, labelledOutput(model, batch), batch.samples, index);
}

function labelsIn(element: unknown, model: NormalizedModel): unknown {
  const isPair = isObject(element) && 'xs' in element && !model.inputs.some(({ name }) => name === 'xs');
  return isPair ? (element as { readonly ys?: unknown }).ys : undefined;
}

/** Part of a batch that was not handed on yet. */
interface Piece {
  readonly batch: InspectedBatch;
  from: number;
}

/** Cuts and joins batches to `size` samples; leaves out what remains at the end. */
async function* recut(
  source: AsyncIterable<InspectedBatch>,
  size: number,
): AsyncGenerator<InspectedBatch, void, undefined> {
  const pieces: Piece[] = [];
  let have = 0;
  let seen = 0;
  try {
    for await (const batch of source) {
      pieces.push({ batch, from: 0 });
      have += batch.samples;
      seen += batch.samples;
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

function take(pieces: Piece[], size: number): InspectedBatch {
  const { signature, ys } = pieces[0]!.batch;
  const parts: tf.Tensor[][] = [];
  const joined = tf.tidy(() => {
    for (let left = size; left > 0; ) {
      const piece = pieces[0]!;
      const { batch, from } = piece;
      const count = Math.min(left, batch.samples - from);
      parts.push(tensorsOf(batch).map((tensor) => tf.slice(tensor, from, count)));
      piece.from += count;
      left -= count;
      if (piece.from === batch.samples) disposeBatch(pieces.shift()!.batch);
    }
    return join(parts);
  });
  return {
    inputs: ys === undefined ? joined : joined.slice(0, -1),
    ys: ys === undefined ? undefined : joined.at(-1),
    samples: size,
    signature,
  };
}

/** The tensors of a batch, in an order that is the same for all batches. */
const tensorsOf = ({ inputs, ys }: InspectedBatch) => (ys === undefined ? [...inputs] : [...inputs, ys]);

export function disposeBatch(batch: InspectedBatch): void {
  tf.dispose(tensorsOf(batch));
}

/**
 * Lists of as many tensors, one after the other; tidy it.
 *
 * @throws {InvalidDataError} if they differ in more than their number of samples.
 */
export function join(batches: readonly (readonly tf.Tensor[])[]): tf.Tensor[] {
  const first = batches[0]!;
  if (batches.length === 1) return [...first];
  const shape = (tensors: readonly tf.Tensor[]) =>
    tensors.map((tensor) => `${tensor.dtype} [${['?', ...tensor.shape.slice(1)].join(', ')}]`).join(', ');
  const odd = batches.find((tensors) => shape(tensors) !== shape(first));
  if (odd) {
    throw new InvalidDataError(
      `Expected batches of the same kind, to join them to the batch size asked for; got ${shape(first)} ` +
        `and ${shape(odd)}.`,
    );
  }
  return first.map((_, column) => tf.concat(batches.map((tensors) => tensors[column]!)));
}
