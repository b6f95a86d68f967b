import * as tf from '@tensorflow/tfjs-core';
import { type ChannelView, type ViewOptions, valuesPerChannel, viewFor } from './channel-view.ts';
import { assertFloatTensor } from './inputs.ts';
import * as kernels from './kernel-calls.ts';
import { countsOf, maskedOf } from './masks.ts';
import { checkNormalize, type NormalizeOptions } from './normalize.ts';
import { segmentsOf } from './segment-ids.ts';
import { tidied } from './tidied.ts';

/** Moments whose means are to be merged with others': float32 holds too few digits of one far larger than its deviation. */
export interface PreciseMoments {
  /**
   * Means, variances, then what rounding took from the means: [3, groups, channels]. Ops that normalize by packed moments
   * take it as it is.
   */
  readonly packed: tf.Tensor3D;
  /** Values per channel of a group; of each one, where they differ, as a tensor [groups] where only the device knows. */
  readonly count: number | readonly number[] | tf.Tensor;
}

/** Samples of x in groups: consecutive ones, equally many in each, or by a number for each sample. */
export interface SampleGroups {
  readonly count: number;
  readonly of?: Int32Array | undefined;
}

/**
 * The moments of x per channel, for merging: in float64 after `readPreciseMoments`, their variance is exact to 1e-6 up to a mean
 * of 1e4 standard deviations however many batches are merged. One read of x where the backend has a kernel. Not
 * differentiable.
 *
 * @param x float32, rank 2 or more.
 * @param mask which values count, as `maskedMoments` takes it; how many do is then known to the device alone.
 * @throws {InvalidInputError} for an empty, integer or disposed tensor, or a shape that does not fit.
 */
export function preciseMoments(
  x: tf.Tensor,
  options: Omit<ViewOptions, 'groups'>,
  groups: SampleGroups = { count: 1 },
  mask?: tf.Tensor,
): PreciseMoments {
  assertFloatTensor(x, 'x', 'preciseMoments', options.name);
  const { count, of } = groups;
  if (mask !== undefined) return tidied(() => measureMasked(x, options, groups, mask));
  if (of !== undefined && count > 1) return tidied(() => measureByNumber(x, options, count, of));
  const view = viewOf(x, options, count);
  return { packed: kernels.moments({ x, grouping: view, rest: true }), count: valuesPerChannel(view) };
}

/**
 * x normalized by its own moments, and these for merging: `preciseMoments` and `normalizePacked`, of one look at shape and
 * options. Not differentiable.
 *
 * @param x float32, rank 2 or more.
 * @throws {InvalidInputError} for tensors that are empty, disposed, not float32 or of the wrong shape.
 */
export function preciseBatchNormalize(
  x: tf.Tensor,
  options: Omit<NormalizeOptions, 'groups'>,
): { readonly y: tf.Tensor; readonly moments: PreciseMoments } {
  const { view, epsilon } = checkNormalize('preciseBatchNormalize', x, options);
  const packed = kernels.moments({ x, grouping: view, rest: true });
  const { gamma, beta } = options;
  const y = kernels.normalize({ x, moments: packed, gamma, beta, grouping: view, epsilon });
  return { y, moments: { packed, count: valuesPerChannel(view) } };
}

/** The tensors of some moments, for whoever keeps or disposes them. */
export function tensorsOfPrecise({ packed, count }: PreciseMoments): tf.Tensor[] {
  return count instanceof tf.Tensor ? [packed, count] : [packed];
}

function viewOf(x: tf.Tensor, options: Omit<ViewOptions, 'groups'>, groups: number): ChannelView {
  return viewFor('preciseMoments', x.shape, groups === 1 ? options : { ...options, groups });
}

function measureMasked(
  x: tf.Tensor,
  options: Omit<ViewOptions, 'groups'>,
  { count, of }: SampleGroups,
  mask: tf.Tensor,
): PreciseMoments {
  const grouping =
    of !== undefined && count > 1
      ? segmentsOf('preciseMoments', x, tf.tensor1d(of, 'int32'), count, options).grouping
      : viewOf(x, options, count);
  const masked = maskedOf('preciseMoments', x, mask, grouping, options.name);
  const both = kernels.moments({ x, grouping: masked.halves, rest: true });
  const packed = tf.slice(both, 0, [3, count, grouping.channels]) as tf.Tensor3D;
  return { packed, count: countsOf(masked) };
}

function measureByNumber(
  x: tf.Tensor,
  options: Omit<ViewOptions, 'groups'>,
  count: number,
  of: Int32Array,
): PreciseMoments {
  const { grouping, values } = segmentsOf('preciseMoments', x, tf.tensor1d(of, 'int32'), count, options);
  const counts = Array.from({ length: count }, () => 0);
  for (const group of of) counts[group]! += values;
  return { packed: kernels.moments({ x, grouping, rest: true }), count: counts };
}
