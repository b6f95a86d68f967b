import type * as tf from '@tensorflow/tfjs-core';
import { type BatchMoments, packedMoments, unpackMoments } from './batch-moments.ts';
import { valuesPerChannel } from './channel-view.ts';
import { NormalizationBatchError, subject } from './errors.ts';
import { checkNormalize, type NormalizeOptions } from './normalize.ts';
import { normalizeThroughMoments } from './through-moments.ts';
import { tidied } from './tidied.ts';

/**
 * Batch normalization by the batch's own moments, as training does (Ioffe & Szegedy 2015):
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta. With `groups`, each group of consecutive samples is
 * normalized by its own moments (Hoffer et al. 2017). Differentiable in x (through the moments, too), gamma and beta;
 * the moments that are returned are themselves differentiable in x.
 *
 * @param x float32, rank 2 or more.
 * @returns y in the shape of x, and the moments that normalized it.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 * @throws {NormalizationBatchError} if a channel has a single value, which normalizing would erase.
 */
export function batchNormalize(
  x: tf.Tensor,
  options: NormalizeOptions = {},
): { readonly y: tf.Tensor } & BatchMoments {
  return tidied(() => {
    const { y, packed, view } = normalizeByOwnMoments('batchNormalize', x, options);
    return { y, ...unpackMoments(packed, view, options.groups !== undefined) };
  });
}

/** batchNormalize with packed moments, on behalf of `op`, which its errors name. Private to the package; in a tidy. */
export function normalizeByOwnMoments(op: string, x: tf.Tensor, options: NormalizeOptions) {
  const { view, epsilon } = checkNormalize(op, x, options);
  if (valuesPerChannel(view) < 2) {
    throw new NormalizationBatchError(
      `${subject(op, options.name)}: expected at least 2 values per channel in a normalization batch, ` +
        `got 1 (shape [${x.shape.join(', ')}], ${view.groups} group${view.groups === 1 ? '' : 's'}). ` +
        'Its variance is 0 and its output would not depend on x: use a larger batch or fewer groups, ' +
        'or normalize with population statistics.',
    );
  }
  const packed = packedMoments(x, view);
  const y = normalizeThroughMoments(x, packed, options, view, epsilon, valuesPerChannel(view));
  return { y, packed, view };
}
