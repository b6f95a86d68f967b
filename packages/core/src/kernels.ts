// The four kernels that everything here is made of. A backend package may register any of them under these names in
// TensorFlow.js's kernel registry; where it has not, the composed ops of ./composed.ts run instead. Two more are for
// backends on which every step costs: `backward` makes all gradients at once, `movingAverage` a step of an average.
// No kernel has a gradient: the ops that call them define their own. Where a gradient tape records the calls themselves,
// as in the backward pass of a gradient that is differentiated again, composed ops run.
// Private to the package: call batchMoments, normalize, batchNormalize and the others that ./index.ts names.
//
// Every kernel of a batch takes the four numbers of a view as attributes, which say how x lies and how many groups it is in: group
// g is the g-th run of outer / groups outer indices. With an input `ids` (int32, [blocks], where blocks divides outer)
// it is instead all those of the blocks runs of outer / blocks outer indices whose id is g: as many or as few as there
// are. A group may then be empty, and what is reduced over it is 0. A block whose id is not in [0, groups) is in no
// group: reductions pass it over, and where a value of it is asked for, that value is NaN.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelView } from './channel-view.ts';
import * as composed from './composed.ts';
import type { ChannelMoments } from './moving-average.ts';

/** Kernel names in the registry of TensorFlow.js. */
export const KERNELS = {
  moments: 'RebatchMoments',
  normalize: 'RebatchNormalize',
  backwardReduce: 'RebatchBackwardReduce',
  backwardInput: 'RebatchBackwardInput',
  backward: 'RebatchBackward',
  movingAverage: 'RebatchMovingAverage',
} as const;

/** How x is seen: see above. `groups` is the number of groups with ids, too. */
export interface Grouping extends ChannelView {
  readonly ids?: tf.Tensor | undefined;
}

/** gamma and beta: [channels], or [groups, channels] for one of each per group. Absent: 1 and 0. */
export interface Affine {
  readonly gamma?: tf.Tensor | undefined;
  readonly beta?: tf.Tensor | undefined;
}

type Inputs = Record<string, tf.Tensor | undefined>;

function run(
  kernel: string,
  inputs: Inputs,
  grouping: Grouping,
  attributes: Record<string, number> = {},
): tf.Tensor | undefined {
  return runAll(kernel, inputs, grouping, attributes) as tf.Tensor | undefined;
}

function runAll(
  kernel: string,
  inputs: Inputs,
  { ids, ...view }: Grouping,
  attributes: Record<string, number>,
): tf.Tensor | tf.Tensor[] | undefined {
  if (tf.getKernel(kernel, tf.getBackend()) === undefined || isRecorded()) return undefined;
  const given = Object.entries({ ...inputs, ids }).filter(
    (entry): entry is [string, tf.Tensor] => entry[1] !== undefined,
  );
  return tf.engine().runKernel(kernel, Object.fromEntries(given), { ...view, ...attributes });
}

/** Whether a gradient tape records the kernels that run now: not those inside of an op with a gradient of its own. */
function isRecorded(): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/** Means, then biased variances: [2, groups, channels]. */
export function moments(x: tf.Tensor, grouping: Grouping): tf.Tensor3D {
  const packed = run(KERNELS.moments, { x }, grouping) ?? composed.moments(x, grouping);
  return packed as tf.Tensor3D;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, in the shape of x. */
export function normalize(
  x: tf.Tensor,
  packed: tf.Tensor3D,
  { gamma, beta }: Affine,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return (
    run(KERNELS.normalize, { x, moments: packed, gamma, beta }, grouping, { epsilon }) ??
    composed.normalize(x, packed, { gamma, beta }, grouping, epsilon)
  );
}

/** Sum of dy, then sum of dy times the normalized x: [2, groups, channels]. */
export function backwardReduce(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor3D,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor3D {
  const sums =
    run(KERNELS.backwardReduce, { dy, x, moments: packed }, grouping, { epsilon }) ??
    composed.backwardReduce(dy, x, packed, grouping, epsilon);
  return sums as tf.Tensor3D;
}

/**
 * The gradient that reaches x through a normalization whose moments are made of x, whatever else they are made of:
 * (gamma * dy - pull of the mean - xhat * pull of the variance) / sqrt(variance + epsilon).
 *
 * @param pulls [2, groups, channels]: the means of gamma * dy and of gamma * dy * xhat, over all values that a group's
 *   moments are made of. 0 where the moments are constants.
 */
export function backwardInput(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor3D,
  pulls: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  grouping: Grouping,
  epsilon: number,
): tf.Tensor {
  return (
    run(KERNELS.backwardInput, { dy, x, moments: packed, pulls, gamma }, grouping, { epsilon }) ??
    composed.backwardInput(dy, x, packed, pulls, gamma, grouping, epsilon)
  );
}

/** The gradients of a normalization by the moments of x itself. */
export interface Gradients {
  readonly dx: tf.Tensor;
  /** [channels] or [groups, channels], as asked for; undefined where neither was. */
  readonly dgamma?: tf.Tensor | undefined;
  readonly dbeta?: tf.Tensor | undefined;
}

/**
 * What backwardReduce, then backwardInput give for pulls that are the means of their sums, from one kernel; undefined
 * where the backend has none.
 *
 * @param affine the shape of gamma, beta or both: none, one of each per channel, or one per group and channel.
 * @param count values per channel in a group.
 */
export function backward(
  dy: tf.Tensor,
  x: tf.Tensor,
  packed: tf.Tensor3D,
  gamma: tf.Tensor | undefined,
  affine: 'none' | 'channel' | 'group',
  grouping: Grouping,
  epsilon: number,
  count: number,
): Gradients | undefined {
  const attributes = { epsilon, count, affine: ['none', 'channel', 'group'].indexOf(affine) };
  const made = runAll(KERNELS.backward, { dy, x, moments: packed, gamma }, grouping, attributes);
  if (made === undefined) return undefined;
  const [dx, dgamma, dbeta] = made as [tf.Tensor, tf.Tensor?, tf.Tensor?];
  return { dx, dgamma, dbeta };
}

/**
 * moving - (moving - batch) * rate, for mean and variance [channels]. It is not asked whether a tape records it: what
 * moves is no part of a loss.
 *
 * @param batch mean and variance, or both packed, [2, 1, channels].
 */
export function movingAverage(
  moving: ChannelMoments,
  batch: ChannelMoments | tf.Tensor3D,
  rate: number,
): ChannelMoments {
  const { movingAverage: kernel } = KERNELS;
  if (tf.getKernel(kernel, tf.getBackend()) === undefined) return composed.movingAverage(moving, batch, rate);
  const step = (moving: tf.Tensor, batch: tf.Tensor, offset: number): tf.Tensor =>
    tf.engine().runKernel(kernel, { moving, batch }, { offset, rate });
  const { mean, variance } = moving;
  if (batch instanceof tf.Tensor) {
    return { mean: step(mean, batch, 0), variance: step(variance, batch, mean.size) };
  }
  return { mean: step(mean, batch.mean, 0), variance: step(variance, batch.variance, 0) };
}
