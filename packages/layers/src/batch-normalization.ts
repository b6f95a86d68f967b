import { type ChannelMoments, InvalidInputError, movingAverage } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { channelAxis } from './channel-axis.ts';
import { constantLosses } from './constant-losses.ts';
import { type CallArguments, inferByBatch, normalizeByBatch, normalizeByPopulation } from './layer-math.ts';
import {
  changeSettings,
  type Statistics,
  type StatisticsSettings,
  savedSettings,
  settingsOf,
} from './settings.ts';
import { StockBatchNormalization, type StockConfig } from './stock.ts';

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
export class BatchNormalization extends StockBatchNormalization {
  static override readonly className: string = StockBatchNormalization.className;

  /**
   * @param config as for `tf.layers.batchNormalization`; an axis in a list of one, as Keras writes it, is understood.
   * @throws {InvalidInputError} if the axis is not a whole number, the momentum not from 0 to 1, epsilon not finite or
   *   negative, or a choice of statistics is not one.
   */
  constructor(config: BatchNormalizationConfig = {}) {
    super(config);
    channelAxis(this);
    const { momentum, epsilon } = this;
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new InvalidInputError(`Layer '${this.name}': expected momentum from 0 to 1, got ${momentum}.`);
    }
    if (!(Number.isFinite(epsilon) && epsilon >= 0)) {
      throw new InvalidInputError(
        `Layer '${this.name}': expected epsilon to be finite and at least 0, got ${epsilon}.`,
      );
    }
    changeSettings(this, config);
  }

  /** What normalizes in training: the batch at hand (default), or the moving statistics, which then stay. */
  get trainingStatistics(): Statistics {
    return settingsOf(this).trainingStatistics;
  }

  set trainingStatistics(trainingStatistics: Statistics) {
    changeSettings(this, { trainingStatistics });
  }

  /** What normalizes in inference: the moving statistics (default), or the batch at hand. */
  get inferenceStatistics(): Statistics {
    return settingsOf(this).inferenceStatistics;
  }

  set inferenceStatistics(inferenceStatistics: Statistics) {
    changeSettings(this, { inferenceStatistics });
  }

  /**
   * How many consecutive samples share one set of moments where batch statistics normalize; undefined (default) for
   * the whole batch. Left-over samples share a set of their own, or join the last one if they are a single value per
   * channel. The moving statistics move towards the mean of all sets, weighted by samples.
   */
  get normalizationBatchSize(): number | undefined {
    return settingsOf(this).normalizationBatchSize;
  }

  set normalizationBatchSize(normalizationBatchSize: number | undefined) {
    changeSettings(this, { normalizationBatchSize });
  }

  /** Set by `freezeBatchNorm`; undefined in a layer that is not frozen. */
  get frozen(): StatisticsSettings['frozen'] {
    return settingsOf(this).frozen;
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
   * @param kwargs `training: true` chooses `trainingStatistics`, and updates the moving statistics if they are the
   *   batch's.
   * @throws {NormalizationBatchError} by batch statistics, if a channel has a single value; nothing is updated then.
   * @throws {InvalidInputError} for an empty or disposed input.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const training = kwargs.training === true;
    return tf.tidy(() => {
      const { frozen } = this;
      const statistics = training ? this.trainingStatistics : this.inferenceStatistics;
      if (frozen !== undefined || statistics === 'population') return normalizeByPopulation(this, inputs);
      if (!training) return inferByBatch(this, inputs, kwargs.batchMoments);
      const { y, moments } = normalizeByBatch(this, inputs);
      this.moveStatistics(moments);
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

  /** As the stock layer's, and the settings that differ from its behaviour. */
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(savedSettings(this) as tf.serialization.ConfigDict) };
  }
}

/**
 * A batch normalization layer: a drop-in for `tf.layers.batchNormalization`, with the same configuration.
 *
 * @throws {InvalidInputError} if the axis is not a whole number, the momentum not from 0 to 1, epsilon not finite or
 *   negative, or a choice of statistics is not one.
 */
export function batchNormalization(config: BatchNormalizationConfig = {}): BatchNormalization {
  return new BatchNormalization(config);
}
