import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { type ViewOptions, viewFor } from './channel-view.ts';
import { assertFloatTensor } from './inputs.ts';
import { countsOf, maskedMomentsOf, maskedOf } from './masks.ts';
import { tidied } from './tidied.ts';

/** Moments of values of which only the device knows how many there are. */
export interface MaskedMoments extends ChannelMoments {
  /** Values per channel: a float32 scalar. */
  readonly count: tf.Scalar;
}

/**
 * The moments of the values of x that count, per channel: those of `batchMoments` where all do. 0 where none does.
 * Differentiable in x.
 *
 * @param x float32, rank 2 or more.
 * @param mask bool, in the shape of the axes of x before the channels, or of the first of them: which values count.
 * @throws {InvalidInputError} for an empty, integer or disposed tensor, or a mask of another shape.
 */
export function maskedMoments(
  x: tf.Tensor,
  mask: tf.Tensor,
  options: Omit<ViewOptions, 'groups'> = {},
): MaskedMoments {
  const op = 'maskedMoments';
  assertFloatTensor(x, 'x', op, options.name);
  const view = viewFor(op, x.shape, options);
  return tidied(() => {
    const masked = maskedOf(op, x, mask, view, options.name);
    const [mean, variance] = tf.unstack(maskedMomentsOf(x, masked)) as [tf.Tensor, tf.Tensor];
    return {
      mean: tf.reshape(mean, [view.channels]),
      variance: tf.reshape(variance, [view.channels]),
      count: tf.reshape(countsOf(masked), []) as tf.Scalar,
    };
  });
}
