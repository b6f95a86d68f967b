import { type NormalizeOptions, segmentBatchNormalize, valuesPerChannel, viewChannels } from '@rebatch/core';
import { type BatchNormLayer, channelAxis } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';

/** An output, and the moments that moving statistics move towards: [channels] each. */
export interface GroupedBatch {
  readonly y: tf.Tensor;
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/** What core's ops need to know of a layer. */
export function optionsOf({
  name,
  epsilon,
  gamma,
  beta,
  ...layer
}: BatchNormLayer): Omit<NormalizeOptions, 'groups'> {
  return {
    axis: channelAxis({ name, axis: layer.axis }),
    epsilon,
    gamma: gamma?.read(),
    beta: beta?.read(),
    name,
  };
}

/** Values per channel in one sample. */
export function valuesPerSample(x: tf.Tensor, axis: number): number {
  return valuesPerChannel(viewChannels(x.shape, { axis })) / x.shape[0]!;
}

/**
 * Normalizes each sample by the moments of its group, in one grouped kernel call. The moments returned are the means of
 * the groups' means and of their variances, each weighted by its samples: what training on as many devices without
 * synchronization keeps in its EMA.
 *
 * @throws {NormalizationBatchError} if a group has a single value per channel.
 */
export function normalizeInGroups(layer: BatchNormLayer, x: tf.Tensor, groups: Int32Array): GroupedBatch {
  const number = groups.reduce((most, group) => Math.max(most, group + 1), 0);
  const { y, mean, variance, counts } = segmentBatchNormalize(
    x,
    tf.tensor1d(groups, 'int32'),
    number,
    optionsOf(layer),
  );
  const shares = tf.expandDims(tf.div(counts, tf.sum(counts)), 1);
  return { y, mean: tf.sum(tf.mul(mean, shares), 0), variance: tf.sum(tf.mul(variance, shares), 0) };
}
