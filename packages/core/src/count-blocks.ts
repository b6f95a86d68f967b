import * as tf from '@tensorflow/tfjs-core';
import { membersOf } from './composed-members.ts';
import * as kernels from './kernel-calls.ts';

/**
 * How many ids there are of each group, [groups], where they cannot be read at once. Ids out of range count for none. For
 * many groups not by the matrix of `membersOf`, which has a place for each pair of id and group.
 */
export function countBlocks(ids: tf.Tensor, groups: number): tf.Tensor1D {
  // Where the backend has no kernels of ours, its op for it may wait for the device, as that of webgl does.
  if (!kernels.exists('moments')) return tf.sum(membersOf(ids, groups), 0);
  // That op takes a number below 0 for a place before the first. A scalar would be spread out in the host's memory.
  const none = tf.fill(ids.shape, groups, 'int32');
  const known = tf.where(tf.less(ids, 0), none, ids) as tf.Tensor1D;
  return tf.bincount(known, tf.tensor1d([]), groups);
}
