import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { nameOf } from '../copy/copy-layer.ts';
import type { BatchNormLayer } from '../stock.ts';
import { linearKind } from './linear-layers.ts';

/**
 * The kernel and bias of a linear layer with the batch normalizations after it multiplied in, by their names in the
 * layer: kernel * slope, and (bias - mean) * slope + beta, where slope = gamma / sqrt(variance + epsilon).
 */
export function foldedWeights(layer: tfl.layers.Layer, norms: readonly BatchNormLayer[]) {
  const kind = linearKind(layer)!;
  const weight = (name: string) =>
    layer.weights.find(({ originalName }) => nameOf(originalName) === name)?.read();
  let kernel = weight(kind.kernel)!;
  let bias: tf.Tensor = weight('bias') ?? tf.zerosLike(norms[0]!.movingMean.read());
  for (const norm of norms) {
    const slope = slopeOf(norm);
    kernel = tf.mul(kernel, kind.aside(slope, kernel.shape));
    bias = tf.mul(tf.sub(bias, norm.movingMean.read()), slope);
    if (norm.beta) bias = tf.add(bias, norm.beta.read());
  }
  return { [kind.kernel]: kernel, bias };
}

function slopeOf({ movingVariance, epsilon, gamma }: BatchNormLayer): tf.Tensor {
  const deviation = tf.sqrt(tf.add(movingVariance.read(), epsilon));
  return gamma ? tf.div(gamma.read(), deviation) : tf.div(1, deviation);
}
