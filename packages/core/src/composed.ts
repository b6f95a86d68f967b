// What each kernel computes (./kernels/contract.ts), composed of TensorFlow.js ops for any backend. Exact, not fast: sums
// are taken in short runs, because one long float32 sum loses about 1e-5, and moments are taken around a first estimate of
// the mean, so that a mean far larger than the deviation does not cancel.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import { type Groups, groupsOf } from './composed-groups.ts';
import type { Arguments, Gradients, Grouping, MovingAverageArguments } from './kernel-arguments.ts';
import { tidied } from './tidied.ts';

/** [2, groups, channels]: means, then biased variances; with `rest`, then what of the means float32 does not hold. */
export function moments({ x, grouping, rest = false }: Arguments<'moments'>): tf.Tensor {
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const mean = (values: tf.Tensor) => tf.div(groups.sum(values), groups.count);
    const estimate = mean(groups.spread(x));
    const shifted = centered(x, estimate, groups);
    const residual = mean(shifted);
    // Squares of the twice-centered values are never negative, and keep a NaN that a clamp might hide.
    const squares = tf.square(tf.sub(shifted, groups.aside(residual)));
    const sum = tf.add(estimate, residual);
    const rows = [sum, mean(squares)];
    return tf.stack(rest ? [...rows, lostInSum(estimate, residual, sum)] : rows);
  });
}

/** What rounding took from the sum of two values (Knuth 1998, The Art of Computer Programming 2, 4.2.2, theorem B). */
function lostInSum(a: tf.Tensor, b: tf.Tensor, sum: tf.Tensor): tf.Tensor {
  const ofB = tf.sub(sum, a);
  return tf.add(tf.sub(a, tf.sub(sum, ofB)), tf.sub(b, ofB));
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta. */
export function normalize(call: Arguments<'normalize'>): tf.Tensor {
  const { x, moments, gamma, beta, grouping, epsilon } = call;
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    if (hasOwnNormalize(grouping)) {
      const { channels } = grouping;
      // The op's own gradient, which a gradient of a gradient takes, needs an offset and a scale.
      const affine = { beta: beta ?? tf.zeros([channels]), gamma: gamma ?? tf.ones([channels]) };
      return ownNormalize({ ...call, ...affine, moments: { mean, variance } });
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
export function hasOwnNormalize({ groups, inner, ids }: Grouping): boolean {
  return groups === 1 && inner === 1 && ids === undefined && ['cpu', 'wasm'].includes(tf.getBackend());
}

/** Normalization by that op, which takes moments unpacked, and x as it is up to rank 4 if its channels come last. */
export function ownNormalize({
  x,
  moments,
  gamma,
  beta,
  grouping,
  epsilon,
}: Omit<Arguments<'normalize'>, 'moments'> & { readonly moments: ChannelMoments }): tf.Tensor {
  if (x.rank > 4 || x.shape[x.rank - 1] !== grouping.channels) {
    const rows = tf.reshape(x, [grouping.outer, grouping.channels]);
    return tf.reshape(ownNormalize({ x: rows, moments, gamma, beta, grouping, epsilon }), x.shape);
  }
  const { mean, variance } = moments;
  return tf.batchNorm(x, flat(mean), flat(variance), beta && flat(beta), gamma && flat(gamma), epsilon);
}

function flat(vector: tf.Tensor): tf.Tensor1D {
  return (vector.rank === 1 ? vector : tf.reshape(vector, [vector.size])) as tf.Tensor1D;
}

/** [2, groups, channels]: sum of dy, then sum of dy times the normalized x. */
export function backwardReduce(call: Arguments<'backwardReduce'>): tf.Tensor {
  const { dy, x, moments, grouping, epsilon } = call;
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    const upstream = groups.spread(dy);
    const products = groups.sum(tf.mul(upstream, centered(x, mean, groups)));
    const scaled = tf.mul(products, scaleOf(variance, undefined, epsilon));
    return tf.stack([groups.sum(upstream), groups.present(scaled)]);
  });
}

/** (gamma * dy - pulls[0] - xhat * pulls[1]) / sqrt(variance + epsilon). */
export function backwardInput(call: Arguments<'backwardInput'>): tf.Tensor {
  const { dy, x, moments, pulls, gamma, grouping, epsilon } = call;
  return tf.tidy(() => {
    const groups = groupsOf(grouping);
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    const [ofMean, ofVariance] = tf.unstack(pulls) as [tf.Tensor, tf.Tensor];
    const inverse = scaleOf(variance, undefined, epsilon);
    const own = tf.mul(groups.spread(dy), groups.aside(scaleOf(variance, gamma, epsilon)));
    const slope = tf.mul(ofVariance, tf.square(inverse));
    const along = tf.mul(centered(x, mean, groups), groups.aside(slope));
    return tf.reshape(tf.sub(tf.sub(own, groups.aside(tf.mul(ofMean, inverse))), along), x.shape);
  });
}

/**
 * All gradients of a normalization by the moments of x itself: what the last two give, with what they have in common
 * computed once.
 */
export function backward(call: Arguments<'backward'>): Gradients {
  const { dy, x, moments, gamma, grouping, epsilon, count, affine } = call;
  return tidied((): Gradients => {
    const groups = groupsOf(grouping);
    const [mean, variance] = tf.unstack(moments) as [tf.Tensor, tf.Tensor];
    const inverse = scaleOf(variance, undefined, epsilon);
    const upstream = groups.spread(dy);
    const shifted = centered(x, mean, groups);
    const sumDy = groups.sum(upstream);
    const sumDyXhat = groups.present(tf.mul(groups.sum(tf.mul(upstream, shifted)), inverse));
    const weight = gamma === undefined ? inverse : tf.mul(inverse, gamma);
    // What the mean and the variance pull with them, times what they are divided by.
    const pullOf = (sum: tf.Tensor) => tf.div(tf.mul(sum, weight), count);
    const own = tf.mul(upstream, groups.aside(weight));
    const along = tf.mul(shifted, groups.aside(tf.mul(pullOf(sumDyXhat), inverse)));
    const dx = tf.reshape(tf.sub(tf.sub(own, groups.aside(pullOf(sumDy))), along), x.shape);
    if (affine === 'none') return { dx };
    if (affine === 'group') return { dx, dgamma: sumDyXhat, dbeta: sumDy };
    return { dx, dgamma: tf.sum(sumDyXhat, 0), dbeta: tf.sum(sumDy, 0) };
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
export function movingAverage({ moving, batch, rate }: MovingAverageArguments): ChannelMoments {
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

/** x - mean, in the shape of spread values. */
function centered(x: tf.Tensor, mean: tf.Tensor, groups: Groups): tf.Tensor {
  return tf.sub(groups.spread(x), groups.aside(mean));
}
