import { BatchNormalization, type BatchNormalizationConfig, type CallArguments } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { GroupingError } from '../errors.ts';
import { stepSeed } from '../random.ts';
import { type Assignment, assignGroups, checkGrouping, type GroupCount } from './assign-groups.ts';
import { normalizeInGroups, optionsOf, valuesPerSample } from './normalize-in-groups.ts';

/** Which samples of a batch are normalized together. */
export interface GhostSettings extends GroupCount {
  /**
   * `'consecutive'` (default), where the order of a batch's samples is chance or chosen by a sampler; `'strided'`, where
   * sources come in runs, such as the regions of one image after those of another: each group then takes samples from
   * all of them; `'random'`, anew in every training call.
   */
  readonly assign?: Assignment;
  /** Of `'random'` groups: the same seed, the same groups in each call. Default 0. */
  readonly seed?: number;
}

/** The configuration of `ghostBatchNormalization`: axis, momentum, epsilon, ... as for `batchNormalization`. */
export type GhostBatchNormalizationConfig = Omit<BatchNormalizationConfig, 'normalizationBatchSize'> &
  GhostSettings;

/**
 * Ghost BN (Hoffer et al. 2017): batch statistics are those of groups of the batch. Where groups mix sources, a sample's
 * group says little about its own label, and the model cannot cheat ("Rethinking 'Batch' in BatchNorm", section 6). Where
 * they do not, small groups make leakage worse: which samples meet matters more than how many.
 *
 * All groups are normalized in one grouped kernel call, whatever the assignment. Inference is that of an ordinary layer.
 * It does not see other devices, as synchronized BN does.
 */
export class GhostBatchNormalization extends BatchNormalization {
  static override readonly className: string = 'GhostBatchNormalization';
  readonly groupSize: number | undefined;
  readonly groups: number | undefined;
  readonly assign: Assignment;
  readonly seed: number;
  #calls = 0;

  /**
   * @throws {GroupingError} unless one of `groupSize` and `groups` is a whole number, and `assign` is an assignment.
   * @throws {InvalidInputError} for what `batchNormalization` refuses.
   */
  constructor(config: GhostBatchNormalizationConfig) {
    const { groupSize, groups, assign = 'consecutive', seed = 0, ...batchNorm } = config;
    super(batchNorm);
    checkGrouping(`Layer '${this.name}'`, { groupSize, groups }, assign);
    if (!Number.isInteger(seed)) {
      throw new GroupingError(`Layer '${this.name}': expected seed to be a whole number, got ${seed}.`);
    }
    this.groupSize = groupSize;
    this.groups = groups;
    this.assign = assign;
    this.seed = seed;
  }

  /**
   * @throws {NormalizationBatchError} by batch statistics, if a group has a single value per channel. Nothing is updated.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const training = kwargs.training === true;
    const statistics = training ? this.trainingStatistics : this.inferenceStatistics;
    // Who looks at inference from outside may choose the normalization batches.
    const given = !training && (kwargs.batchMoments ?? this.normalizationBatchSize) !== undefined;
    if (this.frozen !== undefined || statistics === 'population' || given) return super.call(inputs, kwargs);
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const x = input.dtype === 'float32' ? input : tf.cast(input, 'float32');
      const { y, ...moments } = normalizeInGroups(this, x, this.#assign(x));
      if (training) {
        this.moveStatistics(moments);
        this.#calls++;
      }
      return y;
    });
  }

  #assign(x: tf.Tensor): Int32Array {
    const { groupSize, groups, assign, seed } = this;
    const values = valuesPerSample(x, optionsOf(this).axis!);
    const step = stepSeed(seed, this.#calls);
    return assignGroups(x.shape[0]!, { groupSize, groups }, assign, values, step);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groupSize, groups, assign, seed } = this;
    const count: Record<string, number> = groupSize === undefined ? { groups: groups! } : { groupSize };
    return { ...super.getConfig(), ...count, assign, seed };
  }
}

/**
 * A batch normalization layer that normalizes groups of the batch: see {@link GhostBatchNormalization}.
 *
 * @throws {GroupingError} unless one of `groupSize` and `groups` is a whole number, and `assign` is an assignment.
 * @throws {InvalidInputError} for what `batchNormalization` refuses.
 */
export function ghostBatchNormalization(config: GhostBatchNormalizationConfig): GhostBatchNormalization {
  return new GhostBatchNormalization(config);
}
