import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { type BatchMoments, packedMoments, unpackMoments } from './batch-moments.ts';
import { valuesPerChannel, viewFor } from './channel-view.ts';
import { InvalidInputError, NormalizationBatchError, subject } from './errors.ts';
import { assertAffine, assertEpsilon, assertFloatTensor } from './inputs.ts';
import { jointNormalize } from './joint-kernel.ts';
import { mergePackedMoments } from './merge-packed-moments.ts';
import type { NormalizeOptions } from './normalize.ts';
import { optionNames, UNGROUPED_NAMES } from './option-names.ts';
import type { SingleValueOptions } from './single-value.ts';
import { tidied } from './tidied.ts';

/** What jointBatchNormalize takes. */
export interface JointOptions
  extends Omit<NormalizeOptions, 'groups' | 'gamma' | 'beta'>,
    SingleValueOptions {
  /** Scale per channel, [channels], or [tensors, channels] for one of each per tensor; absent means 1. */
  readonly gamma?: tf.Tensor | undefined;
  /** Offset per channel, [channels], or [tensors, channels] for one of each per tensor; absent means 0. */
  readonly beta?: tf.Tensor | undefined;
}

/** What jointBatchNormalize returns: the moments of all tensors together, and more. */
export interface JointBatch extends BatchMoments {
  /** Each in the shape of its x. */
  readonly ys: tf.Tensor[];
  /** The moments of each tensor alone. */
  readonly parts: BatchMoments[];
}

const checkOptionNames = optionNames<JointOptions>('jointBatchNormalize', UNGROUPED_NAMES);

/**
 * Batch normalization of several tensors together, such as the levels of a feature pyramid: by the moments of all their
 * values as one batch, in which each value counts alike. Nothing is concatenated: the moments are those of each tensor,
 * merged (Chan, Golub & LeVeque 1983), and every tensor is read and written as often as by batchNormalize.
 * Differentiable in every x (through the moments of all, too), gamma and beta; so are the moments that are returned, in
 * the xs. An output that the loss does not use adds nothing.
 *
 * Where the means of the tensors lie apart by d, their rounding leaves an error of about 1e-7 * d * |mean| in the
 * variance of the whole.
 *
 * @param xs at least one; float32, each of rank 2 or more, all with as many channels. Sizes along other axes may differ.
 * @throws {InvalidInputError} for no tensors, or tensors that are empty, disposed, not float32 or of the wrong shape.
 * @throws {NormalizationBatchError} if a channel has a single value in all tensors together.
 */
export function jointBatchNormalize(xs: readonly tf.Tensor[], options: JointOptions = {}): JointBatch {
  checkOptionNames(options);
  const { views, count, epsilon } = checkJoint(xs, options);
  return tidied(() => {
    const measured = xs.map((x, at) => packedMoments(x, views[at]!));
    const weights = views.map((view) => [valuesPerChannel(view) / count]);
    const merged = mergePackedMoments(tf.concat(measured, 1), tf.tensor2d(weights));
    const ys = jointNormalize(xs, merged, options, options.axis ?? -1, epsilon);
    return {
      ys,
      ...unpackMoments(merged, views[0]!, false),
      count,
      parts: measured.map((packed, at) => unpackMoments(packed, views[at]!, false)),
    };
  });
}

function checkJoint(xs: readonly tf.Tensor[], options: JointOptions) {
  const op = 'jointBatchNormalize';
  const { axis = -1, epsilon = 1e-3, name } = options;
  const who = subject(op, name);
  if (!Array.isArray(xs)) {
    throw new InvalidInputError(`${who}: expected a list of tensors, got ${shown(xs)}.`);
  }
  if (xs.length === 0) throw new InvalidInputError(`${who}: expected at least one tensor, got none.`);
  const views = xs.map((x, at) => {
    assertFloatTensor(x, `the tensor at index ${at}`, op, name);
    return viewFor(op, x.shape, { axis, ...(name === undefined ? {} : { name }) });
  });
  const { channels } = views[0]!;
  const other = views.findIndex((view) => view.channels !== channels);
  if (other >= 0) {
    throw new InvalidInputError(
      `${who}: expected tensors with as many channels as the first, ${channels}, ` +
        `got ${views[other]!.channels} at index ${other} (shape [${xs[other]!.shape.join(', ')}]).`,
    );
  }
  assertAffine(options, xs.length, channels, op, name);
  assertEpsilon(epsilon, op, name);
  const count = views.reduce((total, view) => total + valuesPerChannel(view), 0);
  if (count < 2 && options.singleValue !== 'normalize') {
    throw new NormalizationBatchError(
      `${who}: expected at least 2 values per channel in all tensors together, got 1. Its variance is 0 and its ` +
        'output would not depend on x: use a larger batch, normalize with population statistics, or pass ' +
        "singleValue: 'normalize'.",
    );
  }
  return { views, count, epsilon };
}
