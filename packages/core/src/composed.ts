// The kernels composed of TensorFlow.js ops, for any backend. Exact, not fast: sums are taken in short runs,
// because one long float32 sum loses about 1e-5, and moments are taken around a first estimate of the mean, so that
// a mean far larger than the deviation does not cancel.
import * as tf from '@tensorflow/tfjs-core';
import { type Groups, groupsOf } from './composed-groups.ts';
import type { Affine, Grouping } from './kernels.ts';
import type { ChannelMoments } from './moving-average.ts';

/** [2, groups, channels]: means, then biased variances. */
export function moments(x: tf.Tensor, grouping: Grouping): tf.Tensor {
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const mean = (values: tf.Tensor) => tf.div(groups.sum(values), groups.count);
    const estimate = mean(groups.spread(x));
    const shifted = centered(x, estimate, groups);
    const residual = mean(shifted);
    // Squares of the twice-centered values are never negative, and keep a NaN that a clamp might hide.
    const squares = tf.square(tf.sub(shifted, groups.aside(residual)));
    return tf.stack([tf.add(estimate, residual), mean(squares)]);
  });
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta. */
export function normalize(
  x: tf.Tensor,
  packed: tf.Tensor,
  { gamma, beta }: Affine,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    if (hasOwnNormalize(grouping)) {
      const { outer, channels } = grouping;
      const rows = tf.reshape(x, [outer, channels]) as tf.Tensor2D;
      // The op's own gradient, which a gradient of a gradient takes, needs an offset and a scale.
      const [offset, scale] = [beta ?? tf.zeros([channels]), gamma ?? tf.ones([channels])];
      const vectors = [mean, variance, offset, scale].map((t) => tf.reshape(t, [channels]));
      const y = tf.batchNorm2d(
        rows,
        ...(vectors as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D]),
        epsilon,
      );
      return tf.reshape(y, x.shape);
    }
    const groups = groupsOf(grouping);
    // Not x * scale + shift: that cancels when the mean is far larger than the deviation.
    const scale = groups.aside(scaleOf(variance, gamma, epsilon));
    const scaled = tf.mul(centered(x, mean, groups), scale);
    const y = beta === undefined ? scaled : tf.add(scaled, groups.aside(tf.broadcastTo(beta, mean.shape)));
    return tf.reshape(y, x.shape);
  });
}

/**
 * Whether the backend's own inference op is as exact as ours: it must subtract the mean first (webgl and webgpu
 * multiply it out). Where it does, it is 20 times faster than broadcasting.
 */
function hasOwnNormalize({ groups, inner, ids }: Grouping): boolean {
  return groups === 1 && inner === 1 && ids === undefined && ['cpu', 'wasm'].includes(tf.getBackend());
}

/** [2, groups, channels]: sum of dy, then sum of dy times the normalized x. */
export function backwardReduce(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    const upstream = groups.spread(dy);
    const products = groups.sum(tf.mul(upstream, centered(x, mean, groups)));
    const scaled = tf.mul(products, scaleOf(variance, undefined, epsilon));
    return tf.stack([groups.sum(upstream), groups.present(scaled)]);
  });
}

/** (gamma * dy - pulls[0] - xhat * pulls[1]) / sqrt(variance + epsilon). */
export function backwardInput(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor,
  pulls: tf.Tensor,
  gamma: tf.Tensor | undefined,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    const [ofMean, ofVariance] = tf.unstack(pulls) as [tf.Tensor, tf.Tensor];
    const inverse = scaleOf(variance, undefined, epsilon);
    const own = tf.mul(groups.spread(dy), groups.aside(scaleOf(variance, gamma, epsilon)));
    const slope = tf.mul(ofVariance, tf.square(inverse));
    const along = tf.mul(centered(x, mean, groups), groups.aside(slope));
    return tf.reshape(tf.sub(tf.sub(own, groups.aside(tf.mul(ofMean, inverse))), along), x.shape);
  });
}

/** dx = (dmean + 2 (x - mean) dvariance) / n, for the gradients [2, groups, channels] of moments. */
export function momentsGradient(
  dPacked: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor,
  grouping: Grouping,
): tf.Tensor {
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const [mean] = tf.unstack(packed) as [tf.Tensor];
    const [dMean, dVariance] = tf.unstack(tf.div(dPacked, groups.count)) as [tf.Tensor, tf.Tensor];
    const along = tf.mul(centered(x, mean, groups), groups.aside(tf.mul(dVariance, 2)));
    return tf.reshape(tf.add(along, groups.aside(dMean)), x.shape);
  });
}

/** moving - (moving - batch) * rate, in the order of operations of tf.layers. */
export function movingAverage(
  moving: ChannelMoments,
  batch: ChannelMoments | tf.Tensor3D,
  rate: number,
): ChannelMoments {
  const step = (moving: tf.Tensor, batch: tf.Tensor) => tf.sub(moving, tf.mul(tf.sub(moving, batch), rate));
  const [mean, variance] =
    batch instanceof tf.Tensor
      ? tf.unstack(tf.reshape(batch, [2, moving.mean.size]))
      : [batch.mean, batch.variance];
  return { mean: step(moving.mean, mean!), variance: step(moving.variance, variance!) };
}

/** gamma / sqrt(variance + epsilon), [groups, channels]. */
function scaleOf(variance: tf.Tensor, gamma: tf.Tensor | undefined, epsilon: number): tf.Tensor {
  const inverse = tf.div(1, tf.sqrt(tf.add(variance, epsilon)));
  return gamma === undefined ? inverse : tf.mul(inverse, gamma);
}

/** x - mean, spread. */
function centered(x: tf.Tensor, mean: tf.Tensor, groups: Groups): tf.Tensor {
  return tf.sub(groups.spread(x), groups.aside(mean));
}
