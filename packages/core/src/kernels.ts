// The four kernels that everything here is made of. A backend package may register any of them under these names in
// TensorFlow.js's kernel registry; where it has not, the composed ops of ./composed.ts run instead.
// Private to the package: call batchMoments, normalize and batchNormalize.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelView } from './channel-view.ts';
import * as composed from './composed.ts';

/** Kernel names in the registry of TensorFlow.js. */
export const KERNELS = {
  moments: 'RebatchMoments',
  normalize: 'RebatchNormalize',
  backwardReduce: 'RebatchBackwardReduce',
  backwardInput: 'RebatchBackwardInput',
} as const;

type Inputs = Record<string, tf.Tensor | undefined>;

function run(kernel: string, inputs: Inputs, attributes: Record<string, number>): tf.Tensor | undefined {
  if (tf.getKernel(kernel, tf.getBackend()) === undefined) return undefined;
  const given = Object.entries(inputs).filter(
    (entry): entry is [string, tf.Tensor] => entry[1] !== undefined,
  );
  return tf.engine().runKernel(kernel, Object.fromEntries(given), attributes) as tf.Tensor;
}

/** Means, then biased variances: [2, groups, channels]. */
export function moments(x: tf.Tensor, view: ChannelView): tf.Tensor3D {
  const packed = run(KERNELS.moments, { x }, { ...view }) ?? composed.moments(x, view);
  return packed as tf.Tensor3D;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, in the shape of x. */
export function normalize(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  beta: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return (
    run(KERNELS.normalize, { x, moments: packed, gamma, beta }, { ...view, epsilon }) ??
    composed.normalize(x, packed, gamma, beta, view, epsilon)
  );
}

/** Sum of dy, then sum of dy times the normalized x: [2, groups, channels]. */
export function backwardReduce(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor3D,
  view: ChannelView,
  epsilon: number,
): tf.Tensor3D {
  const sums =
    run(KERNELS.backwardReduce, { dy, x, moments: packed }, { ...view, epsilon }) ??
    composed.backwardReduce(dy, x, packed, view, epsilon);
  return sums as tf.Tensor3D;
}

/** The gradient that reaches x through normalization by its own batch's moments. */
export function backwardInput(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor3D,
  sums: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  view: ChannelView,
  epsilon: number,
): tf.Tensor {
  return (
    run(KERNELS.backwardInput, { dy, x, moments: packed, sums, gamma }, { ...view, epsilon }) ??
    composed.backwardInput(dy, x, packed, sums, gamma, view, epsilon)
  );
}
