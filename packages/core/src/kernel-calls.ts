// The operations that the ops of this package are made of. Each runs the backend's kernel where there is one, else what is composed
// of TensorFlow.js's own ops (./composed.ts); ./kernels/contract.ts says what it computes. Composed ops also run where a
// gradient tape records the calls themselves, as in the backward pass of a gradient that is differentiated again: kernels
// have no gradients.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelMoments } from './channel-moments.ts';
import * as composed from './composed.ts';
import type { Arguments, Gradients, Grouping, MovingAverageArguments, OverCall } from './kernel-arguments.ts';
import { KERNELS, type KernelKey } from './kernels/contract.ts';
import { runKernel } from './kernels/run-kernel.ts';

/** Whether the current backend has the kernel. */
export function exists(key: KernelKey): boolean {
  return tf.getKernel(KERNELS[key], tf.getBackend()) !== undefined;
}

/** Whether a gradient tape would record a kernel that runs now; inside of an op with its own gradient none does. */
function isRecorded(): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/** Whether a gradient may be asked for of what is computed now. Where none is, an op needs no gradient of its own. */
export function isDifferentiated(): boolean {
  return tf.engine().state.gradientDepth > 0;
}

/** The numbers of a grouping, which are attributes; its ids are an input. */
function attributesOf({ outer, channels, inner, groups }: Grouping, epsilon: number) {
  return { outer, channels, inner, groups, epsilon };
}

/** Means, then biased variances: [2, groups, channels]; with `rest`, then what of the means float32 does not hold. */
export function moments(call: Arguments<'moments'>): tf.Tensor3D {
  if (!exists('moments') || isRecorded()) return composed.moments(call) as tf.Tensor3D;
  const { x, grouping, rest } = call;
  const { ids, outer, channels, inner, groups } = grouping;
  const attributes = { outer, channels, inner, groups, ...(rest === true && { rest }) };
  return runKernel('moments', { x, ids }, attributes) as tf.Tensor3D;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, in the shape of x. */
export function normalize(call: Arguments<'normalize'>): tf.Tensor {
  return !exists('normalize') || isRecorded() ? composed.normalize(call) : runNormalize(call);
}

/** The same by the kernel, which there must be. */
export function runNormalize(call: Arguments<'normalize'>): tf.Tensor {
  const { x, moments, gamma, beta, grouping, epsilon } = call;
  const inputs = { x, moments, gamma, beta, ids: grouping.ids };
  return runKernel('normalize', inputs, attributesOf(grouping, epsilon));
}

/**
 * What `normalize` gives for one group, clipped, in the memory of x; undefined where the backend has no kernel for it.
 */
export function normalizeOver(call: OverCall<'normalizeOver'>): tf.Tensor | undefined {
  if (!exists('normalizeOver') || isRecorded()) return undefined;
  const { x, moments, gamma, beta, grouping, epsilon, low, high } = call;
  const { outer, channels, inner } = grouping;
  return runKernel(
    'normalizeOver',
    { x, moments, gamma, beta },
    { outer, channels, inner, epsilon, low, high },
  );
}

/** x clipped in its own memory, and its moments with the rest, [3, 1, channels]; undefined as for `normalizeOver`. */
export function measureOver({ x, grouping, low, high }: OverCall<'measureOver'>) {
  if (!exists('measureOver') || isRecorded()) return undefined;
  const { outer, channels, inner } = grouping;
  const [y, moments] = runKernel('measureOver', { x }, { outer, channels, inner, low, high });
  return { y: y!, moments: moments as tf.Tensor3D };
}

/** Sum of dy, then sum of dy times the normalized x: [2, groups, channels]. */
export function backwardReduce(call: Arguments<'backwardReduce'>): tf.Tensor3D {
  if (!exists('backwardReduce') || isRecorded()) return composed.backwardReduce(call) as tf.Tensor3D;
  const { dy, x, moments, grouping, epsilon } = call;
  const inputs = { dy, x, moments, ids: grouping.ids };
  return runKernel('backwardReduce', inputs, attributesOf(grouping, epsilon)) as tf.Tensor3D;
}

/** The gradient that reaches x through a normalization whose moments are made of x, whatever else they are made of. */
export function backwardInput(call: Arguments<'backwardInput'>): tf.Tensor {
  if (!exists('backwardInput') || isRecorded()) return composed.backwardInput(call);
  const { dy, x, moments, pulls, gamma, grouping, epsilon } = call;
  const inputs = { dy, x, moments, pulls, gamma, ids: grouping.ids };
  return runKernel('backwardInput', inputs, attributesOf(grouping, epsilon));
}

/**
 * All gradients of a normalization by the moments of x itself; undefined where the backend has kernels for the two parts of
 * it, and none for the whole.
 */
export function backward(call: Arguments<'backward'>): Gradients | undefined {
  if (isRecorded() || !exists('backwardReduce')) return composed.backward(call);
  if (!exists('backward')) return undefined;
  const { dy, x, moments, gamma, grouping, epsilon, count, affine } = call;
  const inputs = { dy, x, moments, gamma, ids: grouping.ids };
  const attributes = { ...attributesOf(grouping, epsilon), count, affine };
  const [dx, dgamma, dbeta] = runKernel('backward', inputs, attributes);
  return { dx: dx!, dgamma, dbeta };
}

/**
 * moving - (moving - batch) * rate. The kernel runs under a gradient tape, too: moving statistics are no part of a loss.
 */
export function movingAverage({ moving, batch, rate }: MovingAverageArguments): ChannelMoments {
  if (!exists('movingAverage')) return composed.movingAverage({ moving, batch, rate });
  const step = (moving: tf.Tensor, batch: tf.Tensor, offset: number): tf.Tensor =>
    runKernel('movingAverage', { moving, batch }, { offset, rate });
  const { mean, variance } = moving;
  if (batch instanceof tf.Tensor) {
    return { mean: step(mean, batch, 0), variance: step(variance, batch, mean.size) };
  }
  return { mean: step(mean, batch.mean, 0), variance: step(variance, batch.variance, 0) };
}
