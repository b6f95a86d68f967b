import * as tf from '@tensorflow/tfjs-core';
import { InvalidInputError, subject } from './errors.ts';
import { assertMoments } from './inputs.ts';
import { checkNormalize, type NormalizeOptions, packConstants } from './normalize.ts';
import { normalizeThroughMoments } from './through-moments.ts';

/** The normalization batch that a tensor is a part of. */
export interface WholeBatch {
  /** Mean and biased variance per channel over all parts: float32 [channels]. */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  /** Values per channel in all parts together. */
  readonly count: number;
  /**
   * The sum over all parts of what this one has: float32 [2, channels], the sums of dy and of dy * xhat. Called once per
   * backward pass; within it, no tensor of the caller's is needed any more. Returns a tensor of the same shape.
   */
  readonly sumOverParts: (own: tf.Tensor2D) => tf.Tensor;
}

/** The affine part, epsilon, the channel axis and a name. */
export type PartOptions = Omit<NormalizeOptions, 'groups'>;

/**
 * Batch normalization of one part of a normalization batch of which the rest lies elsewhere, such as on other replicas
 * (synchronized batch normalization): y as by `normalize` with the moments of the whole, and gradients as of batch
 * normalization of the whole. The gradient of x goes through the moments, to which all parts contribute, so the backward
 * pass asks for sums over all of them. The gradients of gamma and beta are this part's share: their sum over the parts
 * is the gradient.
 *
 * @param x float32, rank 2 or more: the part that is here. The moments must have been computed from it, too.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape, or a count that is
 *   not that of at least this part. What `sumOverParts` throws ends the backward pass.
 */
export function normalizePart(x: tf.Tensor, whole: WholeBatch, options: PartOptions = {}): tf.Tensor {
  const op = 'normalizePart';
  const { view, epsilon } = checkNormalize(op, x, options);
  assertMoments(whole, [view.channels], '', op, options.name);
  const { count, sumOverParts } = whole;
  const own = x.size / view.channels;
  if (!(Number.isFinite(count) && count >= own)) {
    throw new InvalidInputError(
      `${subject(op, options.name)}: expected the count of the whole normalization batch, at least the ${own} values per ` +
        `channel that are here, got ${count}.`,
    );
  }
  return tf.tidy(() => {
    const packed = packConstants(whole, view);
    return normalizeThroughMoments(x, packed, options, view, epsilon, count, (own) => {
      const ofAll = sumOverParts(tf.reshape(own, [2, view.channels]));
      return tf.reshape(ofAll, own.shape);
    });
  });
}
