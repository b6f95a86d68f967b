// The four kernels composed of TensorFlow.js ops, for any backend. Exact, not fast: sums are taken in short runs,
// because one long float32 sum loses about 1e-5, and moments are taken around a first estimate of the mean, so that
// a mean far larger than the deviation does not cancel.
import * as tf from '@tensorflow/tfjs-core';
import { type ChannelView, valuesPerChannel } from './channel-view.ts';

// Adding equal values to a far larger one, such as the square of an outlier, rounds the same way every time: in runs of
// 32 that costs 2e-6. Runs of 8 take the same time.
const RUN = 8;

/** [2, groups, channels]: means, then biased variances. */
export function moments(x: tf.Tensor, view: ChannelView): tf.Tensor {
  return tf.tidy(() => {
    const n = valuesPerChannel(view);
    const estimate = tf.div(sumPerChannel(spread(x, view), view), n);
    const shifted = centered(x, estimate, view);
    const residual = tf.div(sumPerChannel(shifted, view), n);
    // Squares of the twice-centered values are never negative, and keep a NaN that a clamp might hide.
    const squares = tf.square(tf.sub(shifted, aside(residual, view)));
    return tf.stack([tf.add(estimate, residual), tf.div(sumPerChannel(squares, view), n)]);
  });
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta. */
export function normalize(
  x: tf.Tensor,
  packed: tf.Tensor,
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    if (hasOwnNormalize(view)) {
      const rows = tf.reshape(x, [view.outer, view.channels]) as tf.Tensor2D;
      const vectors = [mean, variance].map((t) => tf.reshape(t, [view.channels]) as tf.Tensor1D);
      const y = tf.batchNorm2d(
        rows,
        vectors[0]!,
        vectors[1]!,
        beta as tf.Tensor1D,
        gamma as tf.Tensor1D,
        epsilon,
      );
      return tf.reshape(y, x.shape);
    }
    // Not x * scale + shift: that cancels when the mean is far larger than the deviation.
    const scaled = tf.mul(centered(x, mean, view), aside(scaleOf(variance, gamma, epsilon), view));
    const y = beta === undefined ? scaled : tf.add(scaled, aside(tf.broadcastTo(beta, mean.shape), view));
    return tf.reshape(y, x.shape);
  });
}

/**
 * Whether the backend's own inference op is as exact as ours: it must subtract the mean first (webgl and webgpu
 * multiply it out). Where it does, it is 20 times faster than broadcasting.
 */
function hasOwnNormalize({ groups, inner }: ChannelView): boolean {
  return groups === 1 && inner === 1 && ['cpu', 'wasm'].includes(tf.getBackend());
}

/** [2, groups, channels]: sum of dy, then sum of dy times the normalized x. */
export function backwardReduce(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    const upstream = spread(dy, view);
    const products = sumPerChannel(tf.mul(upstream, centered(x, mean, view)), view);
    return tf.stack([sumPerChannel(upstream, view), tf.mul(products, scaleOf(variance, undefined, epsilon))]);
  });
}

/** gamma / sqrt(variance + epsilon) * (dy - sum(dy)/n - xhat * sum(dy * xhat)/n). */
export function backwardInput(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor,
  sums: tf.Tensor,
  gamma: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const n = valuesPerChannel(view);
    const [mean, variance] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    const [sumDy, sumDyXhat] = tf.unstack(sums) as [tf.Tensor, tf.Tensor];
    const slope = tf.div(tf.mul(sumDyXhat, scaleOf(variance, undefined, epsilon)), n);
    const along = tf.mul(centered(x, mean, view), aside(slope, view));
    const across = tf.sub(tf.sub(spread(dy, view), aside(tf.div(sumDy, n), view)), along);
    return tf.reshape(tf.mul(across, aside(scaleOf(variance, gamma, epsilon), view)), x.shape);
  });
}

/** gamma / sqrt(variance + epsilon), [groups, channels]. */
function scaleOf(variance: tf.Tensor, gamma: tf.Tensor | undefined, epsilon: number): tf.Tensor {
  const inverse = tf.div(1, tf.sqrt(tf.add(variance, epsilon)));
  return gamma === undefined ? inverse : tf.mul(inverse, gamma);
}

/** x - mean, spread. */
function centered(x: tf.Tensor, mean: tf.Tensor, view: ChannelView): tf.Tensor {
  return tf.sub(spread(x, view), aside(mean, view));
}

/** x as [groups, outer / groups, channels, inner], without the last axis where it is 1. */
export function spread(x: tf.Tensor, { outer, channels, inner, groups }: ChannelView): tf.Tensor {
  const shape = [groups, outer / groups, channels];
  return tf.reshape(x, inner === 1 ? shape : [...shape, inner]);
}

/** [groups, channels] in a shape that broadcasts against `spread`. */
export function aside(perChannel: tf.Tensor, { channels, inner, groups }: ChannelView): tf.Tensor {
  return tf.reshape(perChannel, inner === 1 ? [groups, 1, channels] : [groups, 1, channels, 1]);
}

/** Sums a spread tensor to [groups, channels]. */
function sumPerChannel(values: tf.Tensor, view: ChannelView): tf.Tensor {
  const summed = view.inner === 1 ? values : sumAxis(values, 3);
  return sumAxis(summed, 1);
}

/** Sums out one axis, never adding more than RUN values in a row. */
function sumAxis(values: tf.Tensor, axis: number): tf.Tensor {
  let rest = values;
  while (rest.shape[axis]! > RUN) {
    const length = rest.shape[axis]!;
    const runs = Math.ceil(length / RUN);
    const padding = rest.shape.map((_, i): [number, number] =>
      i === axis ? [0, runs * RUN - length] : [0, 0],
    );
    const padded = runs * RUN === length ? rest : tf.pad(rest, padding);
    const split = [...rest.shape.slice(0, axis), runs, RUN, ...rest.shape.slice(axis + 1)];
    rest = tf.sum(tf.reshape(padded, split), axis + 1);
  }
  return tf.sum(rest, axis);
}
