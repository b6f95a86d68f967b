// What a batch normalization layer computes, for any layer, stock or ours: the one place that reads a layer's fields
// into core's ops.
import { InvalidInputError, type NormalizeOptions, normalize } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import { channelAxis } from './channel-axis.ts';
import { type NormalizedBatch, normalizeInBatches } from './normalization-batches.ts';
import { settingsOf } from './settings.ts';
import type { BatchNormLayer } from './stock.ts';

/**
 * By the moments of the normalization batches in the input. Nothing of the layer changes.
 *
 * @throws {NormalizationBatchError} if a channel of a normalization batch has a single value.
 */
export function normalizeByBatch(layer: BatchNormLayer, inputs: tf.Tensor | tf.Tensor[]): NormalizedBatch {
  const x = floatInput(layer, inputs);
  return normalizeInBatches(x, settingsOf(layer).normalizationBatchSize, optionsOf(layer));
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
