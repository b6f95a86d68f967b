// Groups for the composed ops: how to sum the values of each group, and how to give each value the number of its group.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelView } from './channel-view.ts';
import { groupsByMembers } from './composed-members.ts';
import { groupsBySorting } from './composed-sorted.ts';
import { sumAxis } from './composed-sums.ts';
import type { Grouping } from './kernel-arguments.ts';
import { readsWithoutStalling } from './reads-without-stalling.ts';

export interface Groups {
  /** Values per channel in a group: a number, or where ids make them differ [groups, 1]; 1 for an empty group. */
  readonly count: number | tf.Tensor;
  /** x (or dy) in the shape that the others work on. */
  spread(x: tf.Tensor): tf.Tensor;
  /**
   * Numbers per group and channel, [groups, channels], in a shape that broadcasts against spread values, so that each
   * value meets that of its group; NaN meets the values of no group.
   */
  aside(perGroup: tf.Tensor): tf.Tensor;
  /** Sums spread values to [groups, channels]. */
  sum(values: tf.Tensor): tf.Tensor;
  /** The same numbers [groups, channels], but 0 for an empty group. */
  present(perGroup: tf.Tensor): tf.Tensor;
}

/** The groups of a tensor. Call it in a tidy. */
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
  const byId = readsWithoutStalling()
    ? groupsBySorting(ids.dataSync(), view.groups)
    : groupsByMembers(ids, view.groups);
  return {
    count: tf.maximum(tf.mul(byId.sizes, valuesIn(blocks)), 1),
    spread: (x) => spread(x, blocks),
    aside: (perGroup) => aside(byId.rowsFor(perGroup), blocks),
    sum: (values) => byId.sum(sumPerChannel(values, blocks) as tf.Tensor2D),
    present: (perGroup) => {
      const some = tf.broadcastTo(tf.greater(byId.sizes, 0), perGroup.shape);
      return tf.where(some, perGroup, tf.zerosLike(perGroup));
    },
  };
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
