import { type ChannelMoments, InvalidInputError, normalize } from '@rebatch/core';
import { movingAverage } from '@rebatch/core/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { isSymbolic, obey, saidOf } from './calls-in-graphs.ts';
import { channelAxis } from './channel-axis.ts';
import { BATCH_NORM_NAMES, checkConfigNames, checkNumbers } from './config-names.ts';
import { constantLosses } from './constant-losses.ts';
import { fromKeras, synchronizedLayer } from './keras-config.ts';
import {
  type CallArguments,
  floatInput,
  normalizeByBatch,
  normalizeByPopulation,
  normalizeOptions,
} from './layer-math.ts';
import { maskOf } from './mask.ts';
import { batchesOfSize, type ChooseBatches, type NormalizationBatches } from './normalization-batches.ts';
import { SettableBatchNormalization } from './settable.ts';
import { changeSettings, type StatisticsSettings, savedSettings, settingsOf } from './settings.ts';
import { StockBatchNormalization, type StockConfig } from './stock.ts';
import type { StockCopier } from './to-stock/answers.ts';
import { refuseInherited } from './to-stock/own-answer.ts';
import { refuseForeignSymbols } from './two-copies.ts';

/**
 * The configuration of `tf.layers.batchNormalization` (axis, momentum, epsilon, center, scale, initializers, ...), and
 * which statistics normalize.
 */
export type BatchNormalizationConfig = StockConfig & Partial<StatisticsSettings>;

/**
 * Batch normalization (Ioffe & Szegedy 2015) that stands in for the stock layer of tf.layers. It extends the stock
 * class and carries its class name, so configuration, defaults, weights and their order, masks and checkpoints are the
 * same; only the computation differs:
 *
 * - in training, by the batch's own moments, after which moving_mean and moving_variance move towards them by
 *   1 - momentum (the EMA of "Rethinking 'Batch' in BatchNorm", section 3; the variance is the biased one, as in the
 *   stock layer);
 * - in inference, by moving_mean and moving_variance.
 *
 * `trainingStatistics`, `inferenceStatistics` and `normalizationBatchSize` choose otherwise (section 4 there). They can
 * be set at any time, also in a compiled model, and are saved with it; the stock layer ignores them when loading.
 *
 * Works where the stock layer throws: `center` or `scale` false in training, inputs of rank 5 and more. As in the
 * stock layer, `trainable = false` holds gamma and beta but not the moving statistics.
 */
export class BatchNormalization extends SettableBatchNormalization {
  static override readonly className: string = StockBatchNormalization.className;

  /**
   * @param config as for `tf.layers.batchNormalization`; an axis in a list of one, as Keras writes it, is understood.
   * @throws {InvalidInputError} for a name that is none of these; if the axis is not a whole number, the momentum not from
   *   0 to 1, epsilon not finite or negative, or a choice of statistics is not one. Nothing is converted: "0.5" is no
   *   number.
   */
  constructor(config: BatchNormalizationConfig = {}) {
    super(config ?? {});
    if (new.target === BatchNormalization) {
      checkConfigNames(this, config ?? {}, BATCH_NORM_NAMES, InvalidInputError);
    }
    channelAxis(this);
    checkNumbers(this, InvalidInputError);
    changeSettings(this, config ?? {});
  }

  /**
   * A layer of a configuration as this package, tf.layers or Keras has saved it: for the fields of Keras that tf.layers
   * does not know, see `./keras-config.ts`.
   *
   * @throws {InvalidInputError} for a field that would be left out, and for what the constructor refuses.
   */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    // Classes that are derived from this one know what they have saved.
    if ((cls as unknown) !== BatchNormalization) return new cls(config);
    const { config: ours, synchronized } = fromKeras(config);
    return synchronized ? (synchronizedLayer(ours) as unknown as T) : new cls(ours);
  }

  /**
   * @param kwargs in a graph: `training: true` and `false` are what Keras's `layer(x, training=True)` means, and choose the
   *   statistics from then on, see `./calls-in-graphs.ts`.
   * @throws {InvalidInputError} for calls in graphs that say different things of `training`. {ForeignLayerError} for inputs
   *   that another copy of tfjs-layers has made. Nothing has changed then.
   */
  override apply(
    inputs: tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[],
    kwargs?: Parameters<tfl.layers.Layer['apply']>[1],
  ): tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[] {
    refuseForeignSymbols(`Layer '${this.name}'`, inputs);
    if (!isSymbolic(inputs)) return super.apply(inputs, kwargs);
    const training = saidOf(this, kwargs);
    const outputs = super.apply(inputs, kwargs);
    obey(this, training);
    return outputs;
  }

  /**
   * @throws {InvalidInputError} unless the channel axis lies in the input shape and has a known size.
   */
  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tfl.Shape;
    const axis = channelAxis(this);
    const shown = `[${shape.map((size) => size ?? 'null').join(', ')}]`;
    if (shape.length < 2 || axis < -shape.length || axis >= shape.length) {
      throw new InvalidInputError(
        `Layer '${this.name}': expected an input of rank 2 or more with a channel axis ${axis}, got shape ${shown}.`,
      );
    }
    if (shape.at(axis) == null) {
      throw new InvalidInputError(
        `Layer '${this.name}': expected the channel axis ${axis} to have a known size, got input shape ${shown}. ` +
          'Give the input its number of channels, or the layer another axis.',
      );
    }
    super.build(inputShape);
  }

  /**
   * Which samples of a batch this layer normalizes together in training, and in inference by batch statistics. Layers that
   * differ in nothing else override it. Asking changes nothing.
   *
   * @param samples in the batch.
   * @param valuesPerSample values per channel in one sample: height * width for images, 1 for dense layers.
   * @param around what something around the layer has chosen, such as a shuffled block. It goes before the layer's own
   *   setting; a layer that has a choice of its own keeps that.
   */
  normalizationBatches(
    samples: number,
    valuesPerSample: number,
    around?: ChooseBatches,
  ): NormalizationBatches {
    if (around !== undefined) return around(samples, valuesPerSample);
    return batchesOfSize(settingsOf(this), samples, valuesPerSample);
  }

  /** Whether batch statistics normalize, in training or in inference. Else the population statistics do. */
  normalizesByBatch(training: boolean): boolean {
    if (this.frozen !== undefined) return false;
    return (training ? this.trainingStatistics : this.inferenceStatistics) === 'batch';
  }

  /**
   * @param kwargs `training: true` chooses `trainingStatistics`, and updates the moving statistics if they are the
   *   batch's. Steps that a `mask` leaves out are normalized, but are no part of batch statistics, as in Keras 3; where all
   *   are left out, the moving statistics stay.
   * @throws {NormalizationBatchError} by batch statistics, if a channel has a single value, unless `singleValue` says
   *   otherwise; nothing is updated then.
   * @throws {InvalidInputError} for an empty or disposed input; or if the layer is applied in a graph to tensors with and
   *   without a mask, which cannot be told apart.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const training = kwargs.training === true;
    return tf.tidy(() => {
      const x = floatInput(this, inputs);
      if (!this.normalizesByBatch(training)) return normalizeByPopulation(this, x);
      const { batchMoments, normalizationBatches: around } = kwargs;
      if (!training && batchMoments !== undefined) return normalize(x, batchMoments, normalizeOptions(this));
      const choose: ChooseBatches = (samples, valuesPerSample) => {
        const size = this.normalizationBatchSize;
        // In inference a size that is set holds in any layer: whoever looks at it chooses the normalization batches.
        return !training && around === undefined && size !== undefined
          ? batchesOfSize(settingsOf(this), samples, valuesPerSample)
          : this.normalizationBatches(samples, valuesPerSample, around);
      };
      const mask = maskOf(this, x, kwargs);
      const { y, moments, counted } = normalizeByBatch(this, x, choose, mask && { mask });
      if (training) this.moveStatistics(counted ? unlessNone(this, moments, counted) : moments);
      return y;
    });
  }

  /**
   * One step of the EMA: moving_mean and moving_variance move towards a batch's moments by 1 - momentum, as in a training
   * call. For layers that normalize by other batches than their input, such as several inputs together.
   *
   * @param batch the batch's mean and biased variance, [channels] each; or both packed, [2, 1, channels], as core's
   *   `packedBatchNormalize` returns them.
   * @throws {InvalidInputError} for tensors that are disposed, not float32 or of the wrong shape. Nothing moves then.
   */
  moveStatistics(batch: ChannelMoments | tf.Tensor3D): void {
    tf.tidy(() => {
      const moving = { mean: this.movingMean.read(), variance: this.movingVariance.read() };
      const { mean, variance } = movingAverage(moving, batch, this.momentum, this.name);
      this.movingMean.write(mean);
      this.movingVariance.write(variance);
    });
  }

  /**
   * The penalties of gamma's and beta's regularizers. While both are frozen, the penalties count but have no gradient.
   * (Building the layer appends to the array itself.)
   */
  override get losses(): tfl.layers.Layer['losses'] {
    const all = super.losses;
    return this.built && this.frozen?.affine === 'fixed' ? constantLosses(all) : all;
  }

  /**
   * The stock layer that infers as this one does, for `toStock`. A derived class may infer otherwise, so it answers for
   * itself: if it does not, it overrides this to return `super.stockLayer(copier)`.
   *
   * @throws {StockError} in a derived class that does not override it, and if batch statistics infer.
   */
  stockLayer(copier: StockCopier): tfl.layers.Layer {
    refuseInherited(this);
    return copier.batchNormalization(this);
  }

  /** As the stock layer's, and the settings that differ from its behaviour. */
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(savedSettings(this) as tf.serialization.ConfigDict) };
  }
}

/**
 * A batch normalization layer: a drop-in for `tf.layers.batchNormalization`, with the same configuration.
 *
 * @throws {InvalidInputError} for a name that is no option, the nearest one of which is named; if the axis is not a whole
 *   number, the momentum not from 0 to 1, epsilon not finite or negative, or a choice of statistics is not one.
 */
export function batchNormalization(config: BatchNormalizationConfig = {}): BatchNormalization {
  return new BatchNormalization(config);
}

/** The moments of the values that count; the moving ones, towards which nothing moves, if there are none. */
function unlessNone(
  { movingMean, movingVariance }: BatchNormalization,
  moments: tf.Tensor3D,
  counted: tf.Tensor,
): tf.Tensor3D {
  const moving = tf.expandDims(tf.stack([movingMean.read(), movingVariance.read()]), 1);
  return tf.where(tf.greater(counted, 0), moments, moving) as tf.Tensor3D;
}
