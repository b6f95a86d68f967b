import { batchNormalize, InvalidInputError, type NormalizeOptions, normalize } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { channelAxis } from './channel-axis.ts';
import { type BatchNormalizationConfig, StockBatchNormalization } from './stock.ts';

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
 * Works where the stock layer throws: `center` or `scale` false in training, inputs of rank 5 and more. As in the
 * stock layer, `trainable = false` holds gamma and beta but not the moving statistics.
 */
export class BatchNormalization extends StockBatchNormalization {
  static override readonly className: string = StockBatchNormalization.className;

  /**
   * @param config as for `tf.layers.batchNormalization`; an axis in a list of one, as Keras writes it, is understood.
   * @throws {InvalidInputError} if the axis is not a whole number, the momentum not from 0 to 1, or epsilon not finite
   *   or negative.
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
   * @param kwargs `training: true` normalizes by the batch's moments and updates the moving statistics.
   * @throws {NormalizationBatchError} in training, if a channel has a single value; nothing is updated then.
   * @throws {InvalidInputError} for an empty or disposed input.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const input = onlyTensor(inputs, this.name);
    return tf.tidy(() => {
      // The stock layer takes whole numbers, too (where its backend reads them right).
      const x = input.isDisposed || input.dtype === 'float32' ? input : tf.cast(input, 'float32');
      const options: NormalizeOptions = {
        axis: channelAxis(this),
        epsilon: this.epsilon,
        gamma: this.gamma?.read(),
        beta: this.beta?.read(),
        name: this.name,
      };
      if (!kwargs.training) {
        return normalize(x, { mean: this.movingMean.read(), variance: this.movingVariance.read() }, options);
      }
      const { y, mean, variance } = batchNormalize(x, options);
      const nextMean = movedTowards(this.movingMean.read(), mean, this.momentum);
      const nextVariance = movedTowards(this.movingVariance.read(), variance, this.momentum);
      this.movingMean.write(nextMean);
      this.movingVariance.write(nextVariance);
      return y;
    });
  }
}

/**
 * A batch normalization layer: a drop-in for `tf.layers.batchNormalization`, with the same configuration.
 *
 * @throws {InvalidInputError} if the axis is not a whole number, the momentum not from 0 to 1, or epsilon not finite
 *   or negative.
 */
export function batchNormalization(config: BatchNormalizationConfig = {}): BatchNormalization {
  return new BatchNormalization(config);
}

/** moving - (moving - batch) * (1 - momentum), in the order of operations of the stock layer. */
function movedTowards(moving: tf.Tensor, batch: tf.Tensor, momentum: number): tf.Tensor {
  return tf.sub(moving, tf.mul(tf.sub(moving, batch), 1 - momentum));
}

function onlyTensor(inputs: tf.Tensor | tf.Tensor[], name: string): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length === 1) return inputs[0]!;
  throw new InvalidInputError(`Layer '${name}': expected one input tensor, got ${inputs.length}.`);
}
