import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { InvalidInputError, subject } from './errors.ts';
import { assertFloatTensor, assertMoments } from './inputs.ts';
import * as kernels from './kernel-calls.ts';
import { tidied } from './tidied.ts';

/**
 * One step of the exponential moving average that training estimates population statistics by ("Rethinking 'Batch' in
 * BatchNorm", section 3): mean and variance move towards those of a batch by 1 - momentum,
 * moving - (moving - batch) * (1 - momentum), in float32 and in the order of operations of tf.layers. Not differentiable.
 *
 * @param moving the average so far, which stays as it is.
 * @param batch the moments of the batch: mean and variance, or packed as `packedBatchNormalize` returns them,
 *   [2, 1, channels], which saves taking them apart.
 * @param momentum how much of the average stays, from 0 to 1.
 * @param name the layer's name, for error messages.
 * @returns the average after the step.
 * @throws {InvalidInputError} for tensors that are disposed, not float32 or of the wrong shape, or a momentum out of range.
 */
export function movingAverage(
  moving: ChannelMoments,
  batch: tf.Tensor3D | ChannelMoments,
  momentum: number,
  name?: string,
): ChannelMoments {
  const op = 'movingAverage';
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new InvalidInputError(
      `${subject(op, name)}: expected momentum from 0 to 1, got ${shown(momentum)}.`,
    );
  }
  const channels = moving.mean.size;
  assertMoments(moving, [channels], 'the moving ', op, name);
  if (batch instanceof tf.Tensor) {
    assertFloatTensor(batch, "the batch's moments", op, name);
    if (batch.shape.join() !== `2,1,${channels}`) {
      throw new InvalidInputError(
        `${subject(op, name)}: expected the batch's moments of shape [2, 1, ${channels}], means and variances, ` +
          `got [${batch.shape.join(', ')}].`,
      );
    }
  } else assertMoments(batch, [channels], "the batch's ", op, name);
  return tidied(() => kernels.movingAverage({ moving, batch, rate: 1 - momentum }));
}
