import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { type ChannelView, type ViewOptions, valuesPerChannel, viewFor } from './channel-view.ts';
import { momentsGradient } from './composed.ts';
import { isDifferentiatedAgain } from './differentiated-again.ts';
import { assertFloatTensor } from './inputs.ts';
import type { Grouping } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { NORMALIZE_NAMES, optionNames } from './option-names.ts';
import { tidied } from './tidied.ts';

/** The moments of one normalization batch (or of each of its groups), on the device. */
export interface BatchMoments extends ChannelMoments {
  /** Values per channel in one group, spatial positions included. */
  readonly count: number;
}

/** The same, where only the device may know how many values they are of: a float32 scalar. */
export interface CountedMoments extends ChannelMoments {
  readonly count: number | tf.Tensor;
}

const checkOptionNames = optionNames<ViewOptions>('batchMoments', NORMALIZE_NAMES);

/**
 * The moments of x per channel, over all other axes. One read of x where the backend has a kernel for it. Exact to
 * 1e-6 of the float64 moments of the same float32 values, up to a mean of 1e4 standard deviations.
 * Differentiable in x.
 *
 * @param x float32, rank 2 or more.
 * @throws {InvalidInputError} for an empty, integer or disposed tensor, or a shape that does not fit the options.
 */
export function batchMoments(x: tf.Tensor, options: ViewOptions = {}): BatchMoments {
  checkOptionNames(options);
  assertFloatTensor(x, 'x', 'batchMoments', options.name);
  const view = viewFor('batchMoments', x.shape, options);
  return tidied(() => unpackMoments(packedMoments(x, view), view, options.groups !== undefined));
}

/** The packed moments of x as one differentiable op: a gradient tape records nothing that it is computed from. */
export function packedMoments(x: tf.Tensor, grouping: Grouping): tf.Tensor3D {
  if (!kernels.isDifferentiated()) return tf.tidy(() => kernels.moments({ x, grouping }));
  const { ids, ...view } = grouping;
  const op = tf.customGrad((input, save) => {
    const value = kernels.moments({ x: input as tf.Tensor, grouping });
    (save as tf.GradSaveFunc)([input as tf.Tensor, value, ...(ids === undefined ? [] : [ids])]);
    const gradFunc = (dPacked: tf.Tensor, [savedX, packed, savedIds]: tf.Tensor[]) => {
      const savedGrouping = { ...view, ids: savedIds };
      // A gradient of this gradient goes through the mean, too, but what an op saves of its own output is cut off from it.
      const means = isDifferentiatedAgain() ? packedMoments(savedX!, savedGrouping) : packed!;
      return momentsGradient(dPacked, savedX!, means, savedGrouping);
    };
    return { value, gradFunc };
  });
  return op(x) as tf.Tensor3D;
}

/** Splits [2, groups, channels] into mean and variance. */
export function unpackMoments(packed: tf.Tensor3D, view: ChannelView, grouped: boolean): BatchMoments {
  const shape = grouped ? [view.groups, view.channels] : [view.channels];
  const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
  return {
    mean: tf.reshape(mean, shape),
    variance: tf.reshape(variance, shape),
    count: valuesPerChannel(view),
  };
}
