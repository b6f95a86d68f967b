// Batches for data-parallel training: where they come from, and how they are cut into one piece per replica.
import * as tf from '@tensorflow/tfjs-core';
import { type Elements, elementsOf } from '../elements.ts';
import { ReplicaSetupError } from '../errors.ts';

/** Inputs or targets of a batch: a tensor, or for several a list or an object by name. */
export type Tensors = tf.Tensor | readonly tf.Tensor[] | { readonly [name: string]: tf.Tensor };

/** A batch of inputs and targets, samples along axis 0. */
export interface TrainingBatch {
  readonly xs: Tensors;
  readonly ys: Tensors;
}

/**
 * Batches to train on, as `fitDataset` takes them: a `tf.data.Dataset` of `{xs, ys}`, an iterable or async iterable, or
 * an array. Tensors that come from a dataset or an iterable are disposed after use; those of an array are not.
 */
export type TrainingData = Elements<TrainingBatch>;

/** One tensor's values, or a piece of them. */
interface PackedTensor {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: tf.TypedArray;
}

type Packed<Leaf> =
  | { readonly one: Leaf }
  | { readonly list: readonly Leaf[] }
  | { readonly named: Record<string, Leaf> };

/** A batch, or a replica's piece of it, that can be posted to another thread. */
export interface PackedBatch {
  readonly samples: number;
  readonly xs: Packed<PackedTensor>;
  readonly ys: Packed<PackedTensor>;
}

/** The batches of one epoch, read from their tensors. To be cut before the next one is asked for. */
export async function* readBatches(data: TrainingData): AsyncGenerator<PackedBatch, void, undefined> {
  const owned = !Array.isArray(data);
  for await (const batch of elementsOf(data, refuse)) {
    try {
      yield await pack(batch);
    } finally {
      if (owned) tf.dispose(batch as tf.TensorContainer);
    }
  }
}

/** Whether data can be gone through several times: iterators have next(), collections do not. */
export function isRepeatable(data: TrainingData): boolean {
  return typeof (data as { next?: unknown } | null | undefined)?.next !== 'function';
}

/** The piece of a batch from one sample to before another; undefined where that is none. */
export function cut(batch: PackedBatch, from: number, to: number): PackedBatch | undefined {
  if (from === to) return undefined;
  const piece = ({ shape, dtype, values }: PackedTensor): PackedTensor => {
    const perSample = values.length / batch.samples;
    const own = values.slice(from * perSample, to * perSample);
    return { shape: [to - from, ...shape.slice(1)], dtype, values: own };
  };
  return { samples: to - from, xs: each(batch.xs, piece), ys: each(batch.ys, piece) };
}

/** The memory of a piece, which is its own: it can be given away to another thread. */
export function buffersOf({ xs, ys }: PackedBatch): ArrayBuffer[] {
  return [xs, ys].flatMap((part) => leaves(part).map(({ values }) => values.buffer as ArrayBuffer));
}

/** Tensors again, for the caller to dispose. */
export function unpack({ xs, ys }: PackedBatch): TrainingBatch {
  const made = ({ values, shape, dtype }: PackedTensor) => tf.tensor(values, [...shape], dtype);
  return { xs: plain(each(xs, made)), ys: plain(each(ys, made)) };
}

/**
 * How many samples each replica gets: in proportion to the shares, all of them together.
 *
 * @returns where the pieces begin, and where the last one ends.
 */
export function boundaries(samples: number, shares: readonly number[]): number[] {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const upTo = (end: number) => shares.slice(0, end).reduce((sum, share) => sum + share, 0);
  return Array.from({ length: shares.length + 1 }, (_, end) => Math.round((upTo(end) / whole) * samples));
}

function refuse(): never {
  throw new ReplicaSetupError(
    'trainReplicas: expected data as a tf.data.Dataset, an (async) iterable of batches or an array of batches {xs, ys}. ' +
      'Put a single batch into an array.',
  );
}

async function pack(batch: unknown): Promise<PackedBatch> {
  const { xs, ys } = (batch ?? {}) as Partial<TrainingBatch>;
  if (xs === undefined || ys === undefined) {
    throw new ReplicaSetupError('trainReplicas: expected batches as {xs, ys}, with inputs and targets.');
  }
  const read = async (tensor: tf.Tensor): Promise<PackedTensor> => {
    if (!(tensor instanceof tf.Tensor)) {
      throw new ReplicaSetupError(
        `trainReplicas: expected the inputs and targets of a batch as tensors, got ${typeof tensor}. Make them with tf.tensor.`,
      );
    }
    if (tensor.rank === 0 || tensor.dtype === 'string' || tensor.dtype === 'complex64') {
      throw new ReplicaSetupError(
        `trainReplicas: expected tensors of numbers with samples along axis 0, got ${tensor.dtype} [${tensor.shape}].`,
      );
    }
    return { shape: tensor.shape, dtype: tensor.dtype, values: await tensor.data() };
  };
  const packed = { xs: await eachAsync(containerOf(xs), read), ys: await eachAsync(containerOf(ys), read) };
  const sizes = new Set([packed.xs, packed.ys].flatMap((part) => leaves(part).map(({ shape }) => shape[0]!)));
  const [samples] = sizes;
  if (sizes.size !== 1 || samples === 0) {
    throw new ReplicaSetupError(
      `trainReplicas: expected as many samples in each tensor of a batch, at least one, got ${[...sizes].join(', ')}.`,
    );
  }
  return { samples: samples!, ...packed };
}

function containerOf(tensors: Tensors): Packed<tf.Tensor> {
  if (tensors instanceof tf.Tensor) return { one: tensors };
  if (Array.isArray(tensors)) return { list: tensors };
  return { named: tensors as Record<string, tf.Tensor> };
}

function leaves<Leaf>(packed: Packed<Leaf>): readonly Leaf[] {
  if ('one' in packed) return [packed.one];
  return 'list' in packed ? packed.list : Object.values(packed.named);
}

function withLeaves<A, B>(packed: Packed<A>, to: readonly B[]): Packed<B> {
  if ('one' in packed) return { one: to[0]! };
  if ('list' in packed) return { list: to };
  return { named: Object.fromEntries(Object.keys(packed.named).map((name, at) => [name, to[at]!])) };
}

const each = <A, B>(packed: Packed<A>, to: (leaf: A) => B) => withLeaves(packed, leaves(packed).map(to));

async function eachAsync<A, B>(packed: Packed<A>, to: (leaf: A) => Promise<B>): Promise<Packed<B>> {
  return withLeaves(packed, await Promise.all(leaves(packed).map(to)));
}

function plain(packed: Packed<tf.Tensor>): Tensors {
  if ('one' in packed) return packed.one;
  return 'list' in packed ? packed.list : packed.named;
}
