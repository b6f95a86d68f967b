import * as tf from '@tensorflow/tfjs-core';
import { ReplicasError } from '../errors.ts';
import type { SharedGroup, Summed } from '../shared-memory/shared-group.ts';

/** As optimizers take gradients. */
export interface NamedGradient {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

/** What one replica brings to the end of a step. */
export interface Contribution {
  /** The weights that are trained; their gradients are added up. */
  readonly trained: readonly tf.Variable[];
  /** The weights that are not, such as moving statistics; they are averaged themselves. */
  readonly untrained: readonly tf.Variable[];
  /**
   * Gradients by name, of this replica's share of the loss: its mean loss times samples / total. None for a weight that
   * the loss does not depend on.
   */
  readonly gradients: readonly NamedGradient[];
  /** Samples of this replica. With none, it contributes nothing. */
  readonly samples: number;
  /** Samples of all replicas. */
  readonly total: number;
}

/**
 * The gradients of the mean loss over the samples of all replicas, and the means of the other weights, each replica's
 * weighted by its samples. Added up in float64 and rounded once, so that all replicas get the same bits, and values that
 * are the same on each stay what they are.
 *
 * @returns new tensors, which are the caller's to dispose; undefined for a weight that has no gradient on any replica.
 * @throws {ReplicasError} if a value of this replica is not finite. Nothing was exchanged then.
 */
export function reduceOverReplicas(group: SharedGroup, own: Contribution) {
  const { trained, untrained, samples, total } = own;
  const gradients = new Map(own.gradients.map(({ name, tensor }) => [name, tensor]));
  const contributes = samples > 0;
  const pieces = [
    ...trained.map((variable) => {
      const gradient = contributes ? gradients.get(variable.name) : undefined;
      return pieceOf(variable, gradient, 1, `gradient of '${variable.name}'`);
    }),
    ...untrained.map((variable) => {
      const value = contributes ? variable : undefined;
      return pieceOf(variable, value, samples / total, `next value of '${variable.name}'`);
    }),
  ];
  // Last comes on how many replicas each trained weight has a gradient: an optimizer with momentum would move a weight by
  // a gradient of zeros, too.
  const present = {
    size: trained.length,
    by: 1,
    own: Float32Array.from(trained, (_, at) => Number(pieces[at]!.own !== undefined)),
    sums: new Float32Array(trained.length),
  };
  group.sumOfStep(inOneRow([...pieces, present]), contributes);
  const next = (variable: tf.Variable, at: number) => ({
    variable,
    value: rounded(pieces[at]!.sums, variable),
  });
  return {
    trained: trained.map((variable, at) =>
      present.sums[at] === 0 ? { variable, value: undefined } : next(variable, at),
    ),
    untrained: untrained.map((variable, at) => next(variable, trained.length + at)),
  };
}

/** Some of the values that are added up. */
interface Piece {
  readonly size: number;
  /** This replica's; undefined for zeros. They count `by` times. */
  readonly own: tf.TypedArray | undefined;
  readonly by: number;
  readonly sums: Float32Array | Float64Array;
}

/** @throws {ReplicasError} if a value is not finite. */
function pieceOf(
  { size, dtype }: tf.Variable,
  tensor: tf.Tensor | undefined,
  by: number,
  what: string,
): Piece {
  const own = tensor?.dataSync();
  const bad = own === undefined ? -1 : firstNonFinite(own);
  if (bad >= 0) {
    throw new ReplicasError(
      `The ${what} is not finite over this replica's samples (${own![bad]}). Look for NaN or infinite values in the data, ` +
        'or train with a smaller learning rate.',
    );
  }
  // Rounded once, as they come.
  return { size, own, by, sums: dtype === 'float32' ? new Float32Array(size) : new Float64Array(size) };
}

function firstNonFinite(values: tf.TypedArray): number {
  // Integers are finite; and loops that are compiled for one kind of array are slow on another.
  if (!(values instanceof Float32Array)) return -1;
  for (let i = 0; i < values.length; i++) {
    // Of what is not finite, the difference to itself is NaN.
    if (values[i]! - values[i]! !== 0) return i;
  }
  return -1;
}

/** Pieces one after the other, as the one row of values that they are to a group. Nobody makes a copy of the whole. */
function inOneRow(pieces: readonly Piece[]): Summed {
  const starts: number[] = [];
  let length = 0;
  for (const { size } of pieces) {
    starts.push(length);
    length += size;
  }
  /** Visits what lies in a part of the row: the values `from` to before `to` of a piece, and their share of the part. */
  const visit = (
    start: number,
    part: Float64Array,
    body: (piece: Piece, from: number, to: number, share: Float64Array) => void,
  ) => {
    for (const [i, piece] of pieces.entries()) {
      const from = Math.max(0, start - starts[i]!);
      const to = Math.min(piece.size, start + part.length - starts[i]!);
      const at = starts[i]! + from - start;
      if (from < to) body(piece, from, to, part.subarray(at, at + to - from));
    }
  };
  // Whole runs at a time, by what the engine has for that.
  return {
    length,
    write: (into, start) =>
      visit(start, into, ({ own, by }, from, to, share) => {
        if (own === undefined) share.fill(0);
        else share.set(own.subarray(from, to));
        if (by !== 1) for (let i = 0; i < share.length; i++) share[i]! *= by;
      }),
    take: (all, start) => visit(start, all, ({ sums }, from, _to, share) => sums.set(share, from)),
  };
}

function rounded(sums: Float32Array | Float64Array, { shape, dtype }: tf.Variable): tf.Tensor {
  if (sums instanceof Float32Array) return tf.tensor(sums, shape);
  return tf.tensor(Int32Array.from(sums, Math.round), shape, dtype);
}
