import { InvalidInputError, NormalizationBatchError, normalizePart } from '@rebatch/core';
import { readsWithoutStalling } from '@rebatch/core/~internal';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  type CallArguments,
  type ChooseBatches,
  type NormalizationBatches,
  type StockCopier,
} from '@rebatch/layers';
import {
  BATCH_NORM_NAMES,
  checkConfigNames,
  floatInput,
  fromKeras,
  maskOf,
  normalizeOptions,
} from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { GroupError } from '../errors.ts';
import { checkGroup, type Group, soloGroup } from '../group/group.ts';
import { momentsOfAll } from './moments-of-all.ts';
import { nothingOfWhole } from './nothing-of-whole.ts';

/** The configuration of `batchNormalization` of @rebatch/layers, and the group to synchronize with. */
export interface SyncBatchNormalizationConfig
  extends Omit<BatchNormalizationConfig, 'normalizationBatchSize'> {
  /** This replica's place among those that train the model. It is not saved. Default: a group of one. */
  readonly group?: Group | undefined;
}

const groups = new WeakMap<object, Group>();

/**
 * Batch normalization over the samples of all replicas (SyncBN; "Rethinking 'Batch' in BatchNorm", section 6). In
 * training, the moments are those of all replicas' batches together: count, mean and variance of each are exchanged and
 * merged in float64 (Chan, Golub & LeVeque 1983), so that every value counts alike, however many a replica has; a replica
 * may have none. The gradient of the input goes through these moments: two sums per channel are exchanged again in the
 * backward pass. The gradients of gamma and beta are this replica's share, to be added up like those of all other weights.
 *
 * What comes back to the layer on all replicas must be of one loss: weight each replica's mean loss by its share of the
 * samples before the backward pass, as `trainReplicas` of `@rebatch/replicas` does.
 *
 * The moving statistics move alike on all replicas. Inference, also by batch statistics, is this replica's own affair.
 * In a group of one, this is BatchNormalization. Nothing is read from a GPU in the middle of a forward pass: the layer
 * trains on backends whose tensors are in this thread's memory (cpu, wasm, Node's).
 */
export class SyncBatchNormalization extends BatchNormalization {
  static override readonly className: string = 'SyncBatchNormalization';

  /**
   * @throws {GroupError} for a `normalizationBatchSize`: the normalization batch is that of all replicas. For a group that is
   *   none.
   * @throws {InvalidInputError} for what `batchNormalization` refuses.
   */
  constructor(config: SyncBatchNormalizationConfig = {}) {
    const { group, ...batchNorm } = config ?? {};
    super(batchNorm);
    if (new.target === SyncBatchNormalization) {
      checkConfigNames(this, config ?? {}, [...BATCH_NORM_NAMES, 'group'], InvalidInputError);
    }
    refuseSplit(this);
    if (group !== undefined) this.group = group;
  }

  /** A layer of a configuration as this package or Keras has saved it. */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls((cls as unknown) === SyncBatchNormalization ? fromKeras(config).config : config);
  }

  /** This replica's place among those that train the model. */
  get group(): Group {
    return groups.get(this) ?? soloGroup;
  }

  set group(group: Group) {
    checkGroup(`Layer '${this.name}'`, group);
    groups.set(this, group);
  }

  /** With other replicas, all of its batch, whatever something around the layer has chosen. */
  override normalizationBatches(
    samples: number,
    valuesPerSample: number,
    around?: ChooseBatches,
  ): NormalizationBatches {
    return super.normalizationBatches(samples, valuesPerSample, this.group.size > 1 ? undefined : around);
  }

  /**
   * @param kwargs `training: true` normalizes by the batches of all replicas, and waits for them.
   * @throws {GroupError} in training, on a backend that cannot be read in the middle of a pass, or with a
   *   `normalizationBatchSize`; or if the moments of a replica are not finite.
   * @throws {ReplicaError} (of `@rebatch/replicas`, if its group) in training, if a replica has ended the work of the group.
   * @throws {NormalizationBatchError} in training, if a channel has a single value in all replicas together.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const { group, name } = this;
    const trains = kwargs.training === true && this.normalizesByBatch(true);
    if (!trains || group.size === 1) return super.call(inputs, kwargs);
    refuseSplit(this);
    if (!readsWithoutStalling()) {
      throw new GroupError(
        `Layer '${name}': synchronizing reads moments in the middle of a pass, which the backend '${tf.getBackend()}' ` +
          "cannot do without stalling. Train on 'wasm' or 'cpu', or with ghostBatchNormalization.",
      );
    }
    return tf.tidy(() => {
      const x = floatInput(this, inputs);
      const options = normalizeOptions(this);
      const mask = maskOf(this, x, kwargs);
      const { count, mean, variance } = momentsOfAll(x, group, options, mask);
      // There may be none, where all steps are masked. All replicas have to come to the same end.
      if (count === 1 && this.singleValue === 'throw') {
        throw new NormalizationBatchError(
          `Layer '${name}': expected at least 2 values per channel in all ${group.size} replicas together, got ${count}. ` +
            'The variance would be 0 and the output would not depend on the input: use a larger batch, normalize with ' +
            "population statistics, or do as TensorFlow, whose output is beta then, with singleValue: 'normalize'.",
        );
      }
      const sumOverParts = (own: tf.Tensor) => summed(own, group);
      const y =
        x.size === 0
          ? nothingOfWhole(x, options, mean.size, sumOverParts)
          : normalizePart(x, { mean, variance, count, sumOverParts }, { ...options, mask });
      if (count > 0) this.moveStatistics({ mean, variance });
      return y;
    });
  }

  /** Replicas meet in training only. */
  override stockLayer(copier: StockCopier): tfl.layers.Layer {
    return super.stockLayer(copier);
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
