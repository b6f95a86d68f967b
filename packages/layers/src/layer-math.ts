// What a batch normalization layer computes, for any layer, stock or ours: the one place that reads a layer's fields
// into core's ops.
import { InvalidInputError, type NormalizeOptions, normalize } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import { channelAxis } from './channel-axis.ts';
import { type NormalizedBatch, normalizeInBatches } from './normalization-batches.ts';
import { settingsOf } from './settings.ts';
import type { BatchNormLayer } from './stock.ts';

/** What a layer's call may be told beside its input. */
export interface CallArguments {
  readonly training?: boolean;
  /**
   * The moments of the normalization batch that the input is only a part of, such as one of a head's feature levels:
   * where batch statistics infer, these normalize. Training needs gradients through them, and does not look at them.
   */
  readonly batchMoments?: { readonly mean: tf.Tensor; readonly variance: tf.Tensor };
}

/**
 * By the moments of the normalization batches in the input. Nothing of the layer changes.
 *
 * @throws {NormalizationBatchError} if a channel of a normalization batch has a single value.
 */
export function normalizeByBatch(layer: BatchNormLayer, inputs: tf.Tensor | tf.Tensor[]): NormalizedBatch {
  return normalizeInBatches(
    floatInput(layer, inputs),
    settingsOf(layer).normalizationBatchSize,
    optionsOf(layer),
  );
}

/** Inference by batch statistics: those of the input, or those that are given. */
export function inferByBatch(
  layer: BatchNormLayer,
  inputs: tf.Tensor | tf.Tensor[],
  given: CallArguments['batchMoments'],
): tf.Tensor {
  if (given === undefined) return normalizeByBatch(layer, inputs).y;
  return normalize(floatInput(layer, inputs), given, optionsOf(layer));
}

/** By the moving statistics, as constants; so are gamma and beta in a layer that is frozen with them fixed. */
export function normalizeByPopulation(layer: BatchNormLayer, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const moments = { mean: layer.movingMean.read(), variance: layer.movingVariance.read() };
  const fixedAffine = settingsOf(layer).frozen?.affine === 'fixed';
  return normalize(floatInput(layer, inputs), moments, { ...optionsOf(layer), fixedAffine });
}

function optionsOf(layer: BatchNormLayer): NormalizeOptions {
  return {
    axis: channelAxis(layer),
    epsilon: layer.epsilon,
    gamma: layer.gamma?.read(),
    beta: layer.beta?.read(),
    name: layer.name,
  };
}

/** The stock layer takes whole numbers, too (where its backend reads them right). */
function floatInput({ name }: BatchNormLayer, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const all = Array.isArray(inputs) ? inputs : [inputs];
  if (all.length !== 1) {
    throw new InvalidInputError(`Layer '${name}': expected one input tensor, got ${all.length}.`);
  }
  const input = all[0]!;
  return input.isDisposed || input.dtype === 'float32' ? input : tf.cast(input, 'float32');
}
