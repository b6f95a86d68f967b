import { batchMoments } from '@rebatch/core';
import { maskedMoments } from '@rebatch/core/~internal';
import { mergeAllMoments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import { GroupError } from '../errors.ts';
import { type Group, gather } from '../group/group.ts';

/**
 * The moments of the batches of all replicas together, merged in float64 in one exchange: the same bits on each.
 *
 * @param x this replica's batch; it may be empty.
 * @param mask which of its steps count; all without.
 * @returns mean and variance as float32 [channels].
 * @throws {GroupError} if the moments of a replica are not finite; on all of them.
 */
export function momentsOfAll(
  x: tf.Tensor,
  group: Group,
  { axis, name }: { axis: number; name: string },
  mask?: tf.Tensor,
) {
  const channels = x.shape.at(axis)!;
  const own = new Float64Array(1 + 2 * channels);
  if (x.size > 0) {
    const { mean, variance, count } = mask
      ? maskedMoments(x, mask, { axis, name })
      : batchMoments(x, { axis, name });
    own[0] = typeof count === 'number' ? count : count.dataSync()[0]!;
    own.set(mean.dataSync(), 1);
    own.set(variance.dataSync(), 1 + channels);
  }
  const all = gather(group, own);
  const broken = all.findIndex((values) => !values.every(Number.isFinite));
  if (broken >= 0) {
    const channel = (all[broken]!.findIndex((value) => !Number.isFinite(value)) - 1) % channels;
    throw new GroupError(
      `Layer '${name}': the batch of replica ${broken} has moments that are not finite (channel ${channel}). ` +
        'Its input has NaN or infinite values: look for them in the data, or train with a smaller learning rate.',
      { rank: broken },
    );
  }
  const { count, mean, variance } = mergeAllMoments(
    all.map((values) => ({
      count: values[0]!,
      mean: values.subarray(1, 1 + channels),
      variance: values.subarray(1 + channels),
    })),
  );
  return {
    count,
    mean: tf.tensor1d(Float32Array.from(mean)),
    variance: tf.tensor1d(Float32Array.from(variance)),
  };
}
