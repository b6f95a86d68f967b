// Batches from thread to thread.
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { ReplicaSetupError } from '../errors.ts';

/** Inputs or targets of a batch: a tensor, or for several a list or an object by name. */
export type Tensors = tf.Tensor | readonly tf.Tensor[] | { readonly [name: string]: tf.Tensor };

/** A batch of inputs and targets, samples along axis 0. */
export interface TrainingBatch {
  readonly xs: Tensors;
  readonly ys: Tensors;
}

/** The values of one tensor, or of some of its samples. */
interface PackedTensor {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: tf.TypedArray;
}

type Packed<Leaf> =
  | { readonly one: Leaf }
  | { readonly list: readonly Leaf[] }
  | { readonly named: Record<string, Leaf> };

/** A batch, or a replica's shard of it, that can be posted to another thread. */
export interface PackedBatch {
  readonly samples: number;
  readonly xs: Packed<PackedTensor>;
  readonly ys: Packed<PackedTensor>;
}

/**
 * A batch, read from its tensors, which stay the caller's.
 *
 * @throws {ReplicaSetupError} (rejects) for anything but inputs and targets with as many samples in each tensor.
 */
export async function pack(batch: unknown): Promise<PackedBatch> {
  const { xs, ys } = (batch ?? {}) as Partial<TrainingBatch>;
  if (xs === undefined || ys === undefined) {
    throw new ReplicaSetupError(
      `trainReplicas: expected batches as {xs, ys}, with inputs and targets, got ${shown(batch)}.`,
    );
  }
  const read = async (tensor: tf.Tensor): Promise<PackedTensor> => {
    if (!(tensor instanceof tf.Tensor)) {
      throw new ReplicaSetupError(
        `trainReplicas: expected the inputs and targets of a batch as tensors, got ${shown(tensor)}. Make them with tf.tensor.`,
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
      `trainReplicas: expected as many samples in each tensor of a batch, at least one, got ${[...sizes].join(', ') || 'no tensor'}.`,
    );
  }
  return { samples: samples!, ...packed };
}

/** The shard of a batch from one sample to before another; undefined where that is none. */
export function shardOf(batch: PackedBatch, from: number, to: number): PackedBatch | undefined {
  if (from === to) return undefined;
  const samplesOf = ({ shape, dtype, values }: PackedTensor): PackedTensor => {
    const perSample = values.length / batch.samples;
    const own = values.slice(from * perSample, to * perSample);
    return { shape: [to - from, ...shape.slice(1)], dtype, values: own };
  };
  return { samples: to - from, xs: each(batch.xs, samplesOf), ys: each(batch.ys, samplesOf) };
}

/** The memory of a shard, which is its own: it can be given away to another thread. */
export function buffersOf({ xs, ys }: PackedBatch): ArrayBuffer[] {
  return [xs, ys].flatMap((part) => leaves(part).map(({ values }) => values.buffer as ArrayBuffer));
}

/** Tensors again, for the caller to dispose. */
export function unpack({ xs, ys }: PackedBatch): TrainingBatch {
  const made = ({ values, shape, dtype }: PackedTensor) => tf.tensor(values, [...shape], dtype);
  return { xs: plain(each(xs, made)), ys: plain(each(ys, made)) };
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
