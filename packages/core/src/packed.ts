// batchMoments, batchNormalize and normalize with the moments in one small tensor, as kernels give and take them.
// Unpacking and packing it costs a small network as much as normalizing itself, and a GPU two dispatches each time.
import type * as tf from '@tensorflow/tfjs-core';
import { type BatchNormalizeOptions, normalizeByOwnMoments } from './batch-normalize.ts';
import { type ViewOptions, viewFor } from './channel-view.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertFloatTensor } from './inputs.ts';
import * as kernels from './kernel-calls.ts';
import { checkNormalize, type NormalizeOptions } from './normalize.ts';
import { tidied } from './tidied.ts';

/**
 * The moments of x per channel as one tensor, [2, groups, channels]: means, then biased variances (groups is 1 unless
 * asked for). As exact as `batchMoments`. For inference: where a gradient is taken, no kernel runs.
 *
 * @param x float32, rank 2 or more.
 * @throws {InvalidInputError} for an empty, integer or disposed tensor, or a shape that does not fit the options.
 */
export function packedBatchMoments(x: tf.Tensor, options: ViewOptions = {}): tf.Tensor3D {
  assertFloatTensor(x, 'x', 'packedBatchMoments', options.name);
  return kernels.moments({ x, grouping: viewFor('packedBatchMoments', x.shape, options) });
}

/**
 * Batch normalization by the batch's own moments, as `batchNormalize` does, with the moments packed: [2, groups,
 * channels]. Differentiable in x (through the moments, too), gamma and beta; so are the moments, in x.
 *
 * @param x float32, rank 2 or more.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 * @throws {NormalizationBatchError} if a channel has a single value, which normalizing would erase.
 */
export function packedBatchNormalize(
  x: tf.Tensor,
  options: BatchNormalizeOptions = {},
): { readonly y: tf.Tensor; readonly moments: tf.Tensor3D } {
  return tidied(() => {
    const { y, packed } = normalizeByOwnMoments('packedBatchNormalize', x, options);
    return { y, moments: packed };
  });
}

/**
 * Normalizes x by packed moments, as `normalize` does by separate ones. For inference: where a gradient is taken, no
 * kernel runs.
 *
 * @param x float32, rank 2 or more.
 * @param moments float32, [2, groups, channels], as `packedBatchMoments` returns them; or with a third row, which counts
 *   for nothing, as `preciseMoments` has it.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 */
export function normalizePacked(
  x: tf.Tensor,
  moments: tf.Tensor3D,
  options: NormalizeOptions = {},
): tf.Tensor {
  const { view, epsilon } = checkNormalize('normalizePacked', x, options);
  assertFloatTensor(moments, 'moments', 'normalizePacked', options.name);
  const [rows, groups, channels] = moments.shape;
  const fits = moments.rank === 3 && groups === view.groups && channels === view.channels;
  if (!fits || (rows !== 2 && rows !== 3)) {
    const shape = [2, view.groups, view.channels];
    throw new InvalidInputError(
      `${subject('normalizePacked', options.name)}: expected moments of shape [${shape.join(', ')}], ` +
        `means and variances, got [${moments.shape.join(', ')}].`,
    );
  }
  const { gamma, beta } = options;
  return kernels.normalize({ x, moments, gamma, beta, grouping: view, epsilon });
}
