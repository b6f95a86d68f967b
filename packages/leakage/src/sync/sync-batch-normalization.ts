import { NormalizationBatchError, normalizePart } from '@rebatch/core';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  type CallArguments,
  channelAxis,
} from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { GroupError } from '../errors.ts';
import { type Group, soloGroup } from '../group/group.ts';
import { momentsOfAll } from './moments-of-all.ts';
import { nothingOfWhole } from './nothing-of-whole.ts';

/** The configuration of `batchNormalization` of @rebatch/layers, and the group to synchronize with. */
export interface SyncBatchNormalizationConfig
  extends Omit<BatchNormalizationConfig, 'normalizationBatchSize'> {
  /** This replica's place among those that train the model. It is not saved. Default: a group of one. */
  readonly group?: Group | undefined;
}

// The backends whose tensors are in the memory of this thread: reading from any other one would stall it.
const READABLE = ['cpu', 'wasm', 'tensorflow'];

const groups = new WeakMap<object, Group>();

/**
 * Batch normalization over the samples of all replicas (SyncBN; "Rethinking 'Batch' in BatchNorm", section 6). In
 * training, the moments are those of all replicas' batches together: count, mean and variance of each are exchanged and
 * merged in float64 (Chan, Golub & LeVeque 1983), so that every value counts alike, however many a replica has; a replica
 * may have none. The gradient of the input goes through these moments: two sums per channel are exchanged again in the
 * backward pass. The gradients of gamma and beta are this replica's share, to be added up like those of all other weights.
 *
 * What comes back to the layer on all replicas must be of one loss: weight each replica's mean loss by its share of the
 * samples before the backward pass, as `trainReplicas` does.
 *
 * The moving statistics move alike on all replicas. Inference, also by batch statistics, is this replica's own affair.
 * In a group of one, this is BatchNormalization. Nothing is read from a GPU in the middle of a forward pass: the layer
 * trains on backends whose tensors are in this thread's memory (cpu, wasm, Node's).
 */
export class SyncBatchNormalization extends BatchNormalization {
  static override readonly className: string = 'SyncBatchNormalization';

  /**
   * @throws {GroupError} for a `normalizationBatchSize`: the normalization batch is that of all replicas.
   * @throws {InvalidInputError} for what `batchNormalization` refuses.
   */
  constructor(config: SyncBatchNormalizationConfig = {}) {
    const { group, ...batchNorm } = config;
    super(batchNorm);
    refuseSplit(this);
    if (group !== undefined) this.group = group;
  }

  /** This replica's place among those that train the model. */
  get group(): Group {
    return groups.get(this) ?? soloGroup;
  }

  set group(group: Group) {
    groups.set(this, group);
  }

  /**
   * @param kwargs `training: true` normalizes by the batches of all replicas, and waits for them.
   * @throws {GroupError} in training, on a backend that cannot be read in the middle of a pass, or with a
   *   `normalizationBatchSize`; or if the moments of a replica are not finite.
   * @throws {ReplicaError} in training, if a replica has ended the work of the group.
   * @throws {NormalizationBatchError} in training, if a channel has a single value in all replicas together.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const { group, name } = this;
    const own = kwargs.training !== true || this.trainingStatistics !== 'batch' || this.frozen !== undefined;
    if (own || group.size === 1) return super.call(inputs, kwargs);
    refuseSplit(this);
    if (!READABLE.includes(tf.getBackend())) {
      throw new GroupError(
        `Layer '${name}': synchronizing reads moments in the middle of a pass, which the backend '${tf.getBackend()}' ` +
          "cannot do without stalling. Train on 'wasm' or 'cpu', or with ghostBatchNormalization.",
      );
    }
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const x = input.isDisposed || input.dtype === 'float32' ? input : tf.cast(input, 'float32');
      const axis = channelAxis(this);
      const { count, mean, variance } = momentsOfAll(x, group, { axis, name });
      if (count < 2) {
        throw new NormalizationBatchError(
          `Layer '${name}': expected at least 2 values per channel in all ${group.size} replicas together, got ${count}. ` +
            'The variance would be 0 and the output would not depend on the input: use a larger batch, or normalize with ' +
            'population statistics.',
        );
      }
      const sumOverParts = (own: tf.Tensor) => summed(own, group);
      const affine = { gamma: this.gamma?.read(), beta: this.beta?.read() };
      const y =
        x.size === 0
          ? nothingOfWhole(x, affine, mean.size, sumOverParts)
          : normalizePart(
              x,
              { mean, variance, count, sumOverParts },
              { axis, epsilon: this.epsilon, name, ...affine },
            );
      this.moveStatistics({ mean, variance });
      return y;
    });
  }
}

/**
 * Batch normalization over the samples of all replicas: see {@link SyncBatchNormalization}. To load a model that has one,
 * `import '@rebatch/leakage/register'`.
 *
 * @throws {InvalidInputError} for what `batchNormalization` refuses.
 */
export function syncBatchNormalization(config: SyncBatchNormalizationConfig = {}): SyncBatchNormalization {
  return new SyncBatchNormalization(config);
}

function summed(own: tf.Tensor, group: Group): tf.Tensor {
  const values = own.dataSync<'float32'>().slice();
  group.allReduceSum(values);
  return tf.tensor(values, own.shape, 'float32');
}

/** @throws {GroupError} for a layer that normalizes parts of the batch. Private to the package. */
export function refuseSplit({ name, normalizationBatchSize }: BatchNormalization): void {
  if (normalizationBatchSize === undefined) return;
  throw new GroupError(
    `Layer '${name}': normalizationBatchSize splits the batch of a replica, which synchronized batch normalization ` +
      `joins with those of the others; got ${normalizationBatchSize}. Leave it out, or use batchNormalization.`,
  );
}
