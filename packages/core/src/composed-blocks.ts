// What the composed ops ask of blocks whose groups are told by ids, however that is found out.
import type * as tf from '@tensorflow/tfjs-core';

export interface BlockGroups {
  /** Blocks in each group: float32 [groups, 1]. */
  readonly sizes: tf.Tensor;
  /** Sums rows of [blocks, channels] to [groups, channels]; a value that is not finite spoils its own group alone. */
  sum(rows: tf.Tensor2D): tf.Tensor;
  /** The row of [groups, channels] that the id of each block names; a row of NaN for a block of no group. */
  rowsFor(perGroup: tf.Tensor): tf.Tensor;
}
