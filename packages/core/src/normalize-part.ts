import { callable, checkValue, shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { isDifferentiatedAgain } from './differentiated-again.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertMoments } from './inputs.ts';
import { maskedOf } from './masks.ts';
import { checkNormalize, type NormalizeOptions, packConstants } from './normalize.ts';
import { optionNames, UNGROUPED_NAMES } from './option-names.ts';
import { normalizeThroughMoments } from './through-moments.ts';

/** The normalization batch that a tensor is a part of. */
export interface WholeBatch {
  /** Mean and biased variance per channel over all parts: float32 [channels]. */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  /** Values per channel in all parts together. */
  readonly count: number;
  /**
   * Adds up what all parts have, given what this one has: float32 [2, channels], its sums of dy and of dy * xhat. Called
   * once per backward pass. Returns a tensor of the same shape.
   */
  readonly sumOverParts: (own: tf.Tensor2D) => tf.Tensor;
}

/** gamma and beta, epsilon, the channel axis and a name. */
export interface PartOptions extends Omit<NormalizeOptions, 'groups'> {
  /**
   * Which values of x are part of the moments: bool, in the shape of the axes of x before the channels, or of the first of
   * them. The others are normalized by them. Default: all are.
   */
  readonly mask?: tf.Tensor | undefined;
}

const checkOptionNames = optionNames<PartOptions>('normalizePart', { ...UNGROUPED_NAMES, mask: true });

/**
 * Batch normalization of one part of a normalization batch of which the rest lies elsewhere, such as on other replicas
 * (synchronized batch normalization): y as by `normalize` with the moments of the whole, and gradients as of batch
 * normalization of the whole. The gradient of x goes through the moments, to which all parts contribute, so the backward
 * pass asks for sums over all of them. The gradients of gamma and beta are this part's share: their sum over the parts
 * is the gradient.
 *
 * @param x float32, rank 2 or more: the part that is here. The moments must have been computed from it, too.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape, or a count that is
 *   not that of at least this part; and in a backward pass that is to be differentiated again: what lies elsewhere has no
 *   second derivatives. What `sumOverParts` throws ends the backward pass.
 */
export function normalizePart(x: tf.Tensor, whole: WholeBatch, options: PartOptions = {}): tf.Tensor {
  checkOptionNames(options);
  const op = 'normalizePart';
  const { view, epsilon } = checkNormalize(op, x, options);
  assertMoments(whole, [view.channels], '', op, options.name);
  const { count, sumOverParts } = whole;
  checkValue(subject(op, options.name), 'sumOverParts', sumOverParts, callable(), InvalidInputError);
  return tf.tidy(() => {
    const { gamma, beta, mask } = options;
    const masked = mask && maskedOf(op, x, mask, view, options.name);
    const own = masked ? (masked.known?.[0] ?? 0) * masked.values : x.size / view.channels;
    if (!(Number.isFinite(count) && count >= own)) {
      throw new InvalidInputError(
        `${subject(op, options.name)}: expected the count of the whole normalization batch, at least the ${own} values per ` +
          `channel that are here, got ${shown(count)}.`,
      );
    }
    const moments = packConstants(whole, view);
    const given = { x, moments, gamma, beta, grouping: view, epsilon, halves: masked?.halves };
    const sumOverAll = (own: tf.Tensor3D) => {
      if (isDifferentiatedAgain()) {
        throw new InvalidInputError(
          `${subject(op, options.name)}: expected a gradient that is not differentiated again, since the rest of the ` +
            'normalization batch lies elsewhere. Take gradients of gradients on a model that is not synchronized.',
        );
      }
      const ofAll = sumOverParts(tf.reshape(own, [2, view.channels]));
      return tf.reshape(ofAll, own.shape) as tf.Tensor3D;
    };
    return normalizeThroughMoments({ ...given, count, sumOverAll });
  });
}
