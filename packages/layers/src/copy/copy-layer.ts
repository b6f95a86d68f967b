// Copies of layers that own their weights, through what every layer of tf.layers can do: getConfig and fromConfig.
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Copying } from './copying.ts';
import { configOf, type PartsInstead } from './parts.ts';

interface LayerClass {
  fromConfig(
    cls: unknown,
    config: tf.serialization.ConfigDict,
    customObjects?: tf.serialization.ConfigDict,
  ): tfl.layers.Layer;
}

/** How the copy of a layer differs from it. */
export interface CopyChanges {
  /** In its configuration. */
  readonly config?: tf.serialization.ConfigDict;
  /** In the layers that it wraps. */
  readonly parts?: PartsInstead;
}

/**
 * A layer of the same class and configuration, without weights until it is applied.
 *
 * @throws {Copying.Failure} if its class cannot be made from a configuration.
 */
export function copyLayer(
  copying: Copying,
  layer: tfl.layers.Layer,
  { config: changes = {}, parts }: CopyChanges = {},
): tfl.layers.Layer {
  // tf.layers leaves out a 1d convolution's data format and a separable one's depth multiplier, and writes the regularizer of a depthwise kernel where its
  // constraint should be. The copy's weights are not trained, so it needs no constraint.
  const { dataFormat, depthMultiplier } = layer as { dataFormat?: string; depthMultiplier?: number };
  const cls = layer.constructor as unknown as LayerClass;
  let copy: tfl.layers.Layer;
  try {
    const { config, customObjects } = configOf(layer, parts);
    Object.assign(
      config,
      dataFormat === undefined ? {} : { dataFormat },
      depthMultiplier === undefined ? {} : { depthMultiplier },
      'depthwiseConstraint' in layer ? { depthwiseConstraint: null } : {},
      changes,
    );
    copy = cls.fromConfig(cls, config, customObjects);
  } catch (cause) {
    throw new copying.Failure(
      `${copying.caller}: layer '${layer.name}' (${layer.getClassName()}) could not be copied, which goes by getConfig ` +
        `and fromConfig of its class: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  // Which stacked recurrent cells forget.
  copy.name = layer.name;
  // Every weight is overwritten.
  copy.setFastWeightInitDuringBuild(true);
  return copy;
}

/** Which weights of a layer and its copy belong together. */
export interface WeightChanges {
  /** Weights of the copy that take other values, by their names in the layer. */
  readonly replaced?: Readonly<Record<string, tf.Tensor>>;
  /** Weights of either that are none of its own business, such as those of wrapped layers that are copied by themselves. */
  readonly except?: ReadonlySet<tfl.LayerVariable>;
}

/**
 * Gives a copy the weights of its original, by their places.
 *
 * @throws {Copying.Failure} if the copy has other weights.
 */
export function copyWeights(
  copying: Copying,
  layer: tfl.layers.Layer,
  copy: tfl.layers.Layer,
  { replaced = {}, except = new Set() }: WeightChanges = {},
): void {
  const given = layer.weights.filter(
    (weight) => !(nameOf(weight.originalName) in replaced) && !except.has(weight),
  );
  const targets = copy.weights.filter((weight) => !except.has(weight));
  const values = targets.map(({ originalName }) => replaced[nameOf(originalName)] ?? given.shift()?.read());
  setWeights(copying, layer, targets, values);
}

/**
 * Sets weights of a layer's copy.
 *
 * @throws {Copying.Failure} if a value is missing or of another shape.
 */
export function setWeights(
  copying: Copying,
  layer: tfl.layers.Layer,
  targets: readonly tfl.LayerVariable[],
  values: readonly (tf.Tensor | undefined)[],
): void {
  for (const [at, weight] of targets.entries()) {
    const value = values[at];
    if (value === undefined || value.shape.join() !== weight.shape.join()) {
      throw new copying.Failure(
        `${copying.caller}: layer '${layer.name}' (${layer.getClassName()}) could not be copied: its copy has other ` +
          `weights (${weight.originalName} of shape [${weight.shape.join(', ')}]). Its getConfig must tell all.`,
      );
    }
    // Not `write`, which would apply a constraint that the weights of the original may not meet.
    (weight.read() as tf.Variable).assign(value as tf.Tensor);
  }
}

/** 'kernel' of 'conv1/kernel'. */
export function nameOf(weight: string): string {
  return weight.slice(weight.lastIndexOf('/') + 1);
}
