import type * as tf from '@tensorflow/tfjs-core';
import { type BatchMoments, packedMoments, unpackMoments } from './batch-moments.ts';
import { valuesPerChannel } from './channel-view.ts';
import { NormalizationBatchError, subject } from './errors.ts';
import { checkNormalize, type NormalizeOptions } from './normalize.ts';
import { NORMALIZE_NAMES, optionNames } from './option-names.ts';
import type { SingleValueOptions } from './single-value.ts';
import { normalizeThroughMoments } from './through-moments.ts';
import { tidied } from './tidied.ts';

/** What batchNormalize takes. */
export type BatchNormalizeOptions = NormalizeOptions & SingleValueOptions;

const checkOptionNames = optionNames<BatchNormalizeOptions>('batchNormalize', NORMALIZE_NAMES);

/**
 * Batch normalization by the batch's own moments, as training does (Ioffe & Szegedy 2015):
 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta. With `groups`, each group of consecutive samples is
 * normalized by its own moments (Hoffer et al. 2017). Differentiable in x (through the moments, too), gamma and beta;
 * the moments that are returned are themselves differentiable in x.
 *
 * @param x float32, rank 2 or more.
 * @returns y in the shape of x, and the moments that normalized it.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 * @throws {NormalizationBatchError} if a channel has a single value, which normalizing would erase, unless `singleValue`
 *   says otherwise.
 */
export function batchNormalize(
  x: tf.Tensor,
  options: BatchNormalizeOptions = {},
): { readonly y: tf.Tensor } & BatchMoments {
  checkOptionNames(options);
  return tidied(() => {
    const { y, packed, view } = normalizeByOwnMoments('batchNormalize', x, options);
    return { y, ...unpackMoments(packed, view, options.groups !== undefined) };
  });
}

/** What batchNormalize and packedBatchNormalize share. Errors begin with the name `op`. Call it in a tidy. */
export function normalizeByOwnMoments(op: string, x: tf.Tensor, options: BatchNormalizeOptions) {
  const { view, epsilon } = checkNormalize(op, x, options);
  if (valuesPerChannel(view) < 2 && options.singleValue !== 'normalize') {
    throw new NormalizationBatchError(
      `${subject(op, options.name)}: expected at least 2 values per channel in a normalization batch, ` +
        `got 1 (shape [${x.shape.join(', ')}], ${view.groups} group${view.groups === 1 ? '' : 's'}). ` +
        'Its variance is 0 and its output would not depend on x: use a larger batch or fewer groups, ' +
        "normalize with population statistics, or pass singleValue: 'normalize'.",
    );
  }
  const packed = packedMoments(x, view);
  const { gamma, beta } = options;
  const count = valuesPerChannel(view);
  const y = normalizeThroughMoments({ x, moments: packed, gamma, beta, grouping: view, epsilon, count });
  return { y, packed, view };
}
