// Groups that ids tell, on backends where the ids cannot be read without waiting for the device: by a matrix of which block
// is in which group. It has a place for each pair of them, so many blocks in many groups are dear.
import * as tf from '@tensorflow/tfjs-core';
import type { BlockGroups } from './composed-blocks.ts';
import { inRuns, sumAxis } from './composed-sums.ts';

/** Call it in a tidy. */
export function groupsByMembers(ids: tf.Tensor, groups: number): BlockGroups {
  const members = membersOf(ids, groups);
  return {
    sizes: tf.reshape(tf.sum(members, 0), [groups, 1]),
    sum: (rows) => sumByGroup(members, rows),
    rowsFor: (perGroup) => rowsFor(ids, perGroup, members),
  };
}

/** [ids, groups]: 1 where the id is that of the group, else 0. */
export function membersOf(ids: tf.Tensor, groups: number): tf.Tensor2D {
  // Asked for float32, the wasm backend of TensorFlow.js 4.22 writes the bits of an integer; and a depth of 1 is refused.
  const members = tf.oneHot(ids as tf.Tensor1D, Math.max(groups, 2), 1, 0, 'int32') as tf.Tensor2D;
  return tf.cast(groups > 1 ? members : tf.slice(members, [0, 0], [ids.size, 1]), 'float32');
}

/**
 * The row that each id names; a row of NaN for an id out of range. Its gradient sums by group: that of TensorFlow.js's gather
 * needs a kernel which the wasm backend has not.
 */
function rowsFor(ids: tf.Tensor, rows: tf.Tensor, members: tf.Tensor2D): tf.Tensor {
  const [count, width] = rows.shape as [number, number];
  const op = tf.customGrad((given, save) => {
    (save as tf.GradSaveFunc)([members]);
    // Backends differ in what they gather for an index out of range: zeros, or an error.
    const known = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, count));
    const index = tf.where(known, ids, tf.fill(ids.shape, count, 'int32')) as tf.Tensor1D;
    const none = tf.tensor2d(new Float32Array(width).fill(Number.NaN), [1, width]);
    return {
      value: tf.gather(tf.concat([given as tf.Tensor2D, none]), index),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => sumByGroup(saved as tf.Tensor2D, dy as tf.Tensor2D),
    };
  });
  return op(rows);
}

/** Sums rows of [blocks, channels] by group; a value that is not finite spoils the sum of its own group alone. */
function sumByGroup(members: tf.Tensor2D, rows: tf.Tensor2D): tf.Tensor {
  const finite = constant(() => tf.isFinite(rows));
  const clean = tf.where(finite, rows, tf.zerosLike(rows));
  const sums = sumAxis(tf.matMul(inRuns(members, 0), inRuns(clean, 0), true), 0);
  const isSpoiled = constant(() => {
    const spoiled = tf.matMul(members, tf.sub(1, tf.cast(finite, 'float32')) as tf.Tensor2D, true);
    return tf.greater(spoiled, 0);
  });
  return tf.where(isSpoiled, tf.fill(sums.shape, Number.NaN), sums);
}

/** A condition that a tensor sets, out of reach of gradients: the ops that make one have none. */
function constant(condition: () => tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: condition(), gradFunc: () => [] }))();
}
