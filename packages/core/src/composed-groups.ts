// What the composed ops know of groups: how to sum over one, and how to set a number per group against its values.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelView } from './channel-view.ts';
import type { Grouping } from './kernels.ts';

// Adding equal values to a far larger one, such as the square of an outlier, rounds the same way every time: in runs of
// 32 that costs 2e-6. Runs of 8 take the same time.
const RUN = 8;

export interface Groups {
  /** Values per channel in a group: a number, or where ids make them differ [groups, 1]; 1 for an empty group. */
  readonly count: number | tf.Tensor;
  /** x in a shape that `aside` broadcasts against. */
  spread(x: tf.Tensor): tf.Tensor;
  /** [groups, channels], set against the values of each group; NaN against those of no group. */
  aside(perGroup: tf.Tensor): tf.Tensor;
  /** Sums spread values to [groups, channels]. */
  sum(values: tf.Tensor): tf.Tensor;
  /** The same [groups, channels], 0 for an empty group. */
  present(perGroup: tf.Tensor): tf.Tensor;
}

/** Call it in a tidy. */
export function groupsOf({ ids, ...view }: Grouping): Groups {
  const valuesIn = ({ outer, inner, groups }: ChannelView) => (outer / groups) * inner;
  if (ids === undefined) {
    return {
      count: valuesIn(view),
      spread: (x) => spread(x, view),
      aside: (perGroup) => aside(perGroup, view),
      sum: (values) => sumPerChannel(values, view),
      present: (perGroup) => perGroup,
    };
  }
  // Each block as a group of its own; then blocks are summed by id, and numbers are gathered by id.
  const blocks = { ...view, groups: ids.size };
  const members = membersOf(ids, view.groups);
  const sizes = tf.reshape(tf.mul(tf.sum(members, 0), valuesIn(blocks)), [view.groups, 1]);
  return {
    count: tf.maximum(sizes, 1),
    spread: (x) => spread(x, blocks),
    aside: (perGroup) => aside(rowsFor(ids, perGroup), blocks),
    sum: (values) => sumByGroup(members, sumPerChannel(values, blocks) as tf.Tensor2D),
    present: (perGroup) => {
      const some = tf.broadcastTo(tf.greater(sizes, 0), perGroup.shape);
      return tf.where(some, perGroup, tf.zerosLike(perGroup));
    },
  };
}

/** [ids, groups]: 1 where an id is that group, else 0. */
export function membersOf(ids: tf.Tensor, groups: number): tf.Tensor2D {
  // Asked for float32, the wasm backend of TensorFlow.js 4.22 writes the bits of an integer; and a depth of 1 is refused.
  const members = tf.oneHot(ids as tf.Tensor1D, Math.max(groups, 2), 1, 0, 'int32') as tf.Tensor2D;
  return tf.cast(groups > 1 ? members : tf.slice(members, [0, 0], [ids.size, 1]), 'float32');
}

/** x as [groups, outer / groups, channels, inner], without the last axis where it is 1. */
function spread(x: tf.Tensor, { outer, channels, inner, groups }: ChannelView): tf.Tensor {
  const shape = [groups, outer / groups, channels];
  return tf.reshape(x, inner === 1 ? shape : [...shape, inner]);
}

/** [groups, channels] in a shape that broadcasts against `spread`. */
function aside(perChannel: tf.Tensor, { channels, inner, groups }: ChannelView): tf.Tensor {
  return tf.reshape(perChannel, inner === 1 ? [groups, 1, channels] : [groups, 1, channels, 1]);
}

/** Sums a spread tensor to [groups, channels]. */
function sumPerChannel(values: tf.Tensor, view: ChannelView): tf.Tensor {
  const summed = view.inner === 1 ? values : sumAxis(values, 3);
  return sumAxis(summed, 1);
}

/** Sums out one axis, never adding more than RUN values in a row. */
function sumAxis(values: tf.Tensor, axis: number): tf.Tensor {
  let rest = values;
  while (rest.shape[axis]! > RUN) rest = tf.sum(inRuns(rest, axis), axis + 1);
  return tf.sum(rest, axis);
}

/** Splits an axis into runs of RUN; the last one is filled up with zeros. */
function inRuns(values: tf.Tensor, axis: number): tf.Tensor {
  const length = values.shape[axis]!;
  const runs = Math.ceil(length / RUN);
  const padding = values.shape.map((_, i): [number, number] =>
    i === axis ? [0, runs * RUN - length] : [0, 0],
  );
  const padded = runs * RUN === length ? values : tf.pad(values, padding);
  return tf.reshape(padded, [...values.shape.slice(0, axis), runs, RUN, ...values.shape.slice(axis + 1)]);
}

/** The row of each id; NaN for an id that has none. */
function rowsFor(ids: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  const [count, width] = rows.shape as [number, number];
  // Backends differ in what they gather for an index out of range: zeros, or an error.
  const known = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, count));
  const index = tf.where(known, ids, tf.fill(ids.shape, count, 'int32')) as tf.Tensor1D;
  const none = tf.tensor2d(new Float32Array(width).fill(Number.NaN), [1, width]);
  return tf.gather(tf.concat([rows, none]), index);
}

/** Sums rows of [blocks, channels] by group; a value that is not finite spoils the sum of its own group alone. */
function sumByGroup(members: tf.Tensor2D, rows: tf.Tensor2D): tf.Tensor {
  const finite = tf.isFinite(rows);
  const clean = tf.where(finite, rows, tf.zerosLike(rows));
  const sums = sumAxis(tf.matMul(inRuns(members, 0), inRuns(clean, 0), true), 0);
  const spoiled = tf.matMul(members, tf.sub(1, tf.cast(finite, 'float32')) as tf.Tensor2D, true);
  return tf.where(tf.greater(spoiled, 0), tf.fill(sums.shape, Number.NaN), sums);
}
