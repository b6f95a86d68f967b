// What a batch normalization layer computes, for any layer, stock or ours: the one place that reads a layer's fields
// into core's ops.

import { type ChannelMoments, InvalidInputError, type NormalizeOptions } from '@rebatch/core';
import { asFloat32, KeptMoments, normalizeByKept } from '@rebatch/core/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import { channelAxis } from './channel-axis.ts';
import type { ChooseBatches } from './normalization-batches.ts';
import { type InBatchesOptions, type NormalizedBatch, normalizeInBatches } from './normalize-in-batches.ts';
import { settingsOf } from './settings.ts';
import type { BatchNormLayer } from './stock.ts';

/** What a layer's call may be told beside its input. */
export interface CallArguments {
  readonly training?: boolean;
  /**
   * Whether samples are to be normalized together as in training, though nothing trains: population statistics are being
   * measured. Layers whose samples are not those of the batch in training, such as shuffled ones, then arrange them so.
   */
  readonly asTrained?: boolean;
  /** Which samples batch statistics normalize together, where something around the layer decides it. */
  readonly normalizationBatches?: ChooseBatches;
  /**
   * The moments of the normalization batch that the input is only a part of, such as one of a head's feature levels:
   * where batch statistics infer, these normalize. Training needs gradients through them, and does not look at them.
   */
  readonly batchMoments?: ChannelMoments;
  /**
   * Which steps of the input count, as tf.layers brings it along: bool, in the shape of the input without its channels. See
   * `maskOf`: it may be that of an earlier layer's input.
   */
  readonly mask?: tf.Tensor | undefined;
}

/** What the ops of core need to know of a layer: axis, epsilon, name, and gamma and beta as they are now. */
export type LayerOptions = NormalizeOptions & { readonly axis: number; readonly name: string };

/** A layer's own options for core's ops. */
export function normalizeOptions(layer: BatchNormLayer): LayerOptions {
  const { epsilon, gamma, beta, name } = layer;
  return { axis: channelAxis(layer), epsilon, gamma: gamma?.read(), beta: beta?.read(), name };
}

/** How many values per channel one sample of x has: height * width for images, 1 for dense layers. */
export function valuesPerSample(x: tf.Tensor, axis: number): number {
  return x.size / (x.shape[0]! * x.shape.at(axis)!);
}

/**
 * By the moments of the normalization batches in the input. Nothing of the layer changes.
 *
 * @param more the mask of the input, if any; and what to do with single values, if not as the layer is set.
 * @throws {NormalizationBatchError} if a channel of a normalization batch has a single value.
 */
export function normalizeByBatch(
  layer: BatchNormLayer,
  x: tf.Tensor,
  batches: ChooseBatches,
  more: Pick<InBatchesOptions, 'mask' | 'singleValue'> = {},
): NormalizedBatch {
  const options = { ...normalizeOptions(layer), singleValue: settingsOf(layer).singleValue, ...more };
  return normalizeInBatches(x, batches(x.shape[0]!, valuesPerSample(x, options.axis)), options);
}

/** What is kept of each layer's moving statistics between inferences, until these are disposed. */
const kept = new WeakMap<object, KeptMoments>();

/** By the moving statistics, as constants; so are gamma and beta in a layer that is frozen with them fixed. */
export function normalizeByPopulation(layer: BatchNormLayer, x: tf.Tensor): tf.Tensor {
  const moments = { mean: layer.movingMean.read(), variance: layer.movingVariance.read() };
  let own = kept.get(layer);
  if (own === undefined) {
    own = new KeptMoments();
    kept.set(layer, own);
  }
  const options = normalizeOptions(layer);
  const isFixed = settingsOf(layer).frozen?.affine === 'fixed';
  return normalizeByKept(x, moments, own, isFixed ? { ...options, fixedAffine: true } : options);
}

/** The one input of a layer in float32. The stock layer takes whole numbers, too (where its backend reads them right). */
export function floatInput(
  { name }: Pick<BatchNormLayer, 'name'>,
  inputs: tf.Tensor | tf.Tensor[],
): tf.Tensor {
  const all = Array.isArray(inputs) ? inputs : [inputs];
  if (all.length !== 1) {
    throw new InvalidInputError(`Layer '${name}': expected one input tensor, got ${all.length}.`);
  }
  return asFloat32(all[0]!);
}
