// The stock layer of tf.layers, and the only place that knows its private members. TensorFlow.js exports the factory
// but not the class, and declares the members private; both have kept these names since 1.0.
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** The configuration of `tf.layers.batchNormalization`: axis, momentum, epsilon, center, scale, initializers, ... */
export type StockConfig = NonNullable<Parameters<typeof tfl.layers.batchNormalization>[0]>;

/**
 * A batch normalization layer, stock or ours, with the parts that statistics are made of. Until the layer is built
 * (applied to an input shape), its variables are undefined.
 */
export interface BatchNormLayer extends tfl.layers.Layer {
  /** The channel axis as configured, from Keras in a list of one; `channelAxis(layer)` is always a number. */
  readonly axis: number | readonly number[];
  /** Added to the variance before its root is taken. */
  readonly epsilon: number;
  /** How much of the moving statistics a training step keeps. */
  readonly momentum: number;
  readonly center: boolean;
  readonly scale: boolean;
  /** Scale per channel, [channels]; none when `scale` is false. */
  readonly gamma?: tfl.LayerVariable | null;
  /** Offset per channel, [channels]; none when `center` is false. */
  readonly beta?: tfl.LayerVariable | null;
  /** Population mean per channel as estimated, [channels]. */
  readonly movingMean: tfl.LayerVariable;
  /** Population variance per channel as estimated (biased), [channels]. */
  readonly movingVariance: tfl.LayerVariable;
}

interface StockClass {
  new (config?: StockConfig): BatchNormLayer;
  readonly prototype: BatchNormLayer;
  readonly className: string;
  fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T;
}

// The name keeps this instance from using up one of the numbers that automatic layer names are made of.
const sample = tfl.layers.batchNormalization({ name: 'rebatch_stock_class' });

/** The class behind `tf.layers.batchNormalization`. */
export const StockBatchNormalization = sample.constructor as unknown as StockClass;

/** A layer's configuration as tf.layers' own would write it, without any setting of ours. */
export function stockConfig(layer: BatchNormLayer): StockConfig {
  return StockBatchNormalization.prototype.getConfig.call(layer) as StockConfig;
}

/** Whether a layer is a batch normalization layer: the stock class, one made from it, or another copy's. */
export function isBatchNorm(layer: object): layer is BatchNormLayer {
  if (layer instanceof StockBatchNormalization) return true;
  return (
    'getClassName' in layer &&
    typeof layer.getClassName === 'function' &&
    layer.getClassName() === StockBatchNormalization.className
  );
}

/** Whether a layer is of the stock class itself: not ours, and not of a class that someone derived. */
export function isStock(layer: object): boolean {
  return Object.getPrototypeOf(layer) === StockBatchNormalization.prototype;
}
