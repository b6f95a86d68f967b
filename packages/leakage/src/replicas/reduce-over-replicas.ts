import * as tf from '@tensorflow/tfjs-core';
import { LeakageError } from '../errors.ts';
import type { SharedGroup } from '../group/shared-group.ts';

/** As optimizers take gradients. */
export interface NamedGradient {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

/** What one replica brings to the end of a step. */
export interface Contribution {
  /** The weights that are trained; their gradients are added up. */
  readonly trained: readonly tf.Variable[];
  /** The weights that are not; they are averaged themselves. */
  readonly kept: readonly tf.Variable[];
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
 * @throws {LeakageError} if a value of this replica is not finite. Nothing was exchanged then.
 */
export function reduceOverReplicas(group: SharedGroup, own: Contribution) {
  const { trained, kept, samples, total } = own;
  const size = [...trained, ...kept].reduce((sum, variable) => sum + variable.size, 0);
  // Last comes on how many replicas each trained weight has a gradient: an optimizer with momentum would move a weight by
  // a gradient of zeros, too.
  const sums = bufferOf(group, size + trained.length);
  const pieces = split(sums, [...trained, ...kept]);
  const present = sums.subarray(size);
  if (samples > 0) {
    const gradients = new Map(own.gradients.map(({ name, tensor }) => [name, tensor]));
    trained.forEach((variable, at) => {
      const gradient = gradients.get(variable.name);
      if (gradient == null) return;
      weigh(gradient, 1, pieces[at]!, `gradient of '${variable.name}'`);
      present[at] = 1;
    });
    kept.forEach((variable, at) => {
      weigh(variable, samples / total, pieces[trained.length + at]!, `next value of '${variable.name}'`);
    });
  }
  group.sumOfStep(sums, samples > 0);
  return {
    trained: trained.map((variable, at) => ({
      variable,
      value: present[at] === 0 ? undefined : rounded(pieces[at]!, variable),
    })),
    kept: kept.map((variable, at) => ({
      variable,
      value: rounded(pieces[trained.length + at]!, variable),
    })),
  };
}

const buffers = new WeakMap<SharedGroup, Float64Array>();

/** Zeros, in memory that the group's steps share: a new block for each would keep the garbage collector busy. */
function bufferOf(group: SharedGroup, length: number): Float64Array {
  const before = buffers.get(group);
  if (before?.length === length) return before.fill(0);
  const buffer = new Float64Array(length);
  buffers.set(group, buffer);
  return buffer;
}

/** Views of consecutive pieces, as large as the variables. */
function split(values: Float64Array, variables: readonly tf.Variable[]): Float64Array[] {
  let offset = 0;
  return variables.map(({ size }) => {
    offset += size;
    return values.subarray(offset - size, offset);
  });
}

function weigh(tensor: tf.Tensor, by: number, into: Float64Array, what: string): void {
  const values = tensor.dataSync();
  for (let i = 0; i < into.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      throw new LeakageError(
        `The ${what} is not finite over this replica's samples (${value}). Look for NaN or infinite values in the data, ` +
          'or train with a smaller learning rate.',
      );
    }
    into[i] = value * by;
  }
}

function rounded(sums: Float64Array, { shape, dtype }: tf.Variable): tf.Tensor {
  if (dtype === 'float32') return tf.tensor(new Float32Array(sums), shape);
  return tf.tensor(Int32Array.from(sums, Math.round), shape, dtype);
}
