// Copies of layers that own their weights, through what every layer of tf.layers can do: getConfig and fromConfig.
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from '../batch-norm-layers.ts';
import { BatchNormalization } from '../batch-normalization.ts';
import { FoldError } from '../errors.ts';
import { changeSettings, savedSettings } from '../settings.ts';
import { isStock } from '../stock.ts';

interface LayerClass {
  fromConfig(cls: unknown, config: tf.serialization.ConfigDict): tfl.layers.Layer;
}

/**
 * A layer of the same class and configuration, without weights until it is applied.
 *
 * @param changes to its configuration.
 * @throws {FoldError} if its class cannot be made from a configuration.
 */
export function copyLayer(layer: tfl.layers.Layer, changes: tf.serialization.ConfigDict = {}) {
  // tf.layers leaves out a 1d convolution's data format and a separable one's depth multiplier, and writes the regularizer of a depthwise kernel where its
  // constraint should be. The copy's weights are not trained, so it needs no constraint.
  const { dataFormat, depthMultiplier } = layer as { dataFormat?: string; depthMultiplier?: number };
  const config = {
    ...layer.getConfig(),
    ...(dataFormat === undefined ? {} : { dataFormat }),
    ...(depthMultiplier === undefined ? {} : { depthMultiplier }),
    ...('depthwiseConstraint' in layer ? { depthwiseConstraint: null } : {}),
    ...changes,
  };
  const cls = layer.constructor as unknown as LayerClass;
  let copy: tfl.layers.Layer;
  try {
    copy = cls.fromConfig(cls, config);
  } catch (cause) {
    throw new FoldError(
      `foldBatchNorm: layer '${layer.name}' (${layer.getClassName()}) could not be copied, which goes by getConfig ` +
        `and fromConfig of its class: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  // Every weight is overwritten.
  copy.setFastWeightInitDuringBuild(true);
  keepOurs(layer, copy);
  return copy;
}

/** Wrappers make the layers inside of them by class name, which is the stock layer's. */
function keepOurs(layer: tfl.layers.Layer, copy: tfl.layers.Layer): void {
  const copies = batchNormLayers(copy);
  batchNormLayers(layer).forEach((original, at) => {
    const same = copies[at]!;
    if (!(original instanceof BatchNormalization) || !isStock(same)) return;
    Object.setPrototypeOf(same, BatchNormalization.prototype);
    changeSettings(same, savedSettings(original));
  });
}

/**
 * Gives a copy the weights of its original, by their places.
 *
 * @param replaced weights to take instead, by their names in the layer.
 */
export function copyWeights(
  layer: tfl.layers.Layer,
  copy: tfl.layers.Layer,
  replaced: Readonly<Record<string, tf.Tensor>> = {},
): void {
  const given = layer.weights.filter(({ originalName }) => !(nameOf(originalName) in replaced));
  for (const weight of copy.weights) {
    const value = replaced[nameOf(weight.originalName)] ?? given.shift()?.read();
    if (value === undefined || value.shape.join() !== weight.shape.join()) {
      throw new FoldError(
        `foldBatchNorm: layer '${layer.name}' (${layer.getClassName()}) could not be copied: its copy has other ` +
          `weights (${weight.originalName} of shape [${weight.shape.join(', ')}]). Its getConfig must tell all.`,
      );
    }
    // Not `write`, which would apply a constraint that the weights of the original may not meet.
    (weight.read() as tf.Variable).assign(value);
  }
}

/** 'kernel' of 'conv1/kernel'. */
export function nameOf(weight: string): string {
  return weight.slice(weight.lastIndexOf('/') + 1);
}
