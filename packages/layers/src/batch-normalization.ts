import { batchNormalize, InvalidInputError, type NormalizeOptions, normalize } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { type BatchNormalizationConfig, type BatchNormLayer, StockBatchNormalization } from './stock.ts';

/**
 * Batch normalization (Ioffe & Szegedy 2015) that stands in for the stock layer of tf.layers. It extends the stock
 * class and carries its class name, so configuration, defaults, weights and their order, masks and checkpoints are the
 * same; only the computation differs:
 *
 * - in training, by the batch's own moments, after which moving_mean and moving_variance move towards them by
 *   1 - momentum (the EMA of "Rethinking 'Batch' in BatchNorm", section 3; the variance is the biased one, as in
 *   the stock layer);
 * - in inference, by moving_mean and moving_variance.
 *
 * Works where the stock layer throws: `center` or `scale` false in training, inputs of rank 5 and more. As in the stock
 * layer, `trainable = false` holds gamma and beta but not the moving statistics.
 */
export class BatchNormalization extends StockBatchNormalization {
  static override readonly className: string = StockBatchNormalization.className;

  /**
   * @param config as for `tf.layers.batchNormalization`.
   * @throws {InvalidInputError} if the axis is not a whole number, the momentum not from 0 to 1, or epsilon not finite
   *   or negative.
   */
  constructor(config: BatchNormalizationConfig = {}) {
    super(config);
    check(Number.isInteger(this.axis), this, 'axis to be a whole number', this.axis);
    check(this.momentum >= 0 && this.momentum <= 1, this, 'momentum from 0 to 1', this.momentum);
    check(
      Number.isFinite(this.epsilon) && this.epsilon >= 0,
      this,
      'epsilon to be finite and at least 0',
      this.epsilon,
    );
  }

  /**
   * @param kwargs `training: true` normalizes by the batch's moments and updates the moving statistics.
   * @throws {NormalizationBatchError} in training, if a channel has a single value; nothing is updated then.
   * @throws {InvalidInputError} for an empty or disposed input.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const input = onlyTensor(inputs, this.name);
    return tf.tidy(() => {
      // The stock layer computes whole numbers and booleans in float32, too.
      const x = input.isDisposed || input.dtype === 'float32' ? input : tf.cast(input, 'float32');
      const options: NormalizeOptions = {
        axis: this.axis,
        epsilon: this.epsilon,
        gamma: this.gamma?.read(),
        beta: this.beta?.read(),
        name: this.name,
      };
      if (!kwargs.training) {
        return normalize(x, { mean: this.movingMean.read(), variance: this.movingVariance.read() }, options);
      }
      const { y, mean, variance } = batchNormalize(x, options);
      moveTowards(this.movingMean, mean, this.momentum);
      moveTowards(this.movingVariance, variance, this.momentum);
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

/** moving -= (moving - batch) * (1 - momentum), in the order of operations of the stock layer. */
function moveTowards(moving: tfl.LayerVariable, batch: tf.Tensor, momentum: number): void {
  const before = moving.read();
  moving.write(tf.sub(before, tf.mul(tf.sub(before, batch), 1 - momentum)));
}

function onlyTensor(inputs: tf.Tensor | tf.Tensor[], name: string): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length === 1) return inputs[0]!;
  throw new InvalidInputError(`Layer '${name}': expected one input tensor, got ${inputs.length}.`);
}

function check(holds: boolean, layer: BatchNormLayer, expected: string, got: unknown): void {
  if (holds) return;
  throw new InvalidInputError(`Layer '${layer.name}': expected ${expected}, got ${got}.`);
}
