import {
  BatchNormalization,
  type BatchNormalizationConfig,
  type CallArguments,
  type NormalizationBatches,
  type StockCopier,
} from '@rebatch/layers';
import { BATCH_NORM_NAMES, checkConfigNames } from '@rebatch/layers/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { GroupingError } from '../errors.ts';
import { stepSeed } from '../random.ts';
import { type Assignment, assignGroups, checkGrouping, type GroupCount } from './assign-groups.ts';

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

const NAMES = ['groupSize', 'groups', 'assign', 'seed', ...BATCH_NORM_NAMES];

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
   * @throws {GroupingError} unless one of `groupSize` and `groups` is a whole number, and `assign` is an assignment; for a
   *   name that is no option.
   * @throws {InvalidInputError} for what `batchNormalization` refuses.
   */
  constructor(config: GhostBatchNormalizationConfig) {
    const { groupSize, groups, assign = 'consecutive', seed = 0, ...batchNorm } = config ?? {};
    super(batchNorm);
    if (new.target === GhostBatchNormalization) checkConfigNames(this, config ?? {}, NAMES, GroupingError);
    checkGrouping(`Layer '${this.name}'`, { groupSize, groups, assign, seed });
    this.groupSize = groupSize;
    this.groups = groups;
    this.assign = assign;
    this.seed = seed;
  }

  /** Groups of the batch, whatever is around it; random ones are those of the training call that comes next. */
  override normalizationBatches(samples: number, valuesPerSample: number): NormalizationBatches {
    const { groupSize, groups, assign, seed } = this;
    return assignGroups(samples, { groupSize, groups }, assign, valuesPerSample, stepSeed(seed, this.#calls));
  }

  /**
   * @throws {NormalizationBatchError} by batch statistics, if a group has a single value per channel. Nothing is updated.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const y = super.call(inputs, kwargs);
    if (kwargs.training === true && this.normalizesByBatch(true)) this.#calls++;
    return y;
  }

  /** Groups are a matter of training. */
  override stockLayer(copier: StockCopier): tfl.layers.Layer {
    return super.stockLayer(copier);
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
 * @throws {GroupingError} unless one of `groupSize` and `groups` is a whole number, and `assign` is an assignment; for a
 *   name that is no option.
 * @throws {InvalidInputError} for what `batchNormalization` refuses.
 */
export function ghostBatchNormalization(config: GhostBatchNormalizationConfig): GhostBatchNormalization {
  return new GhostBatchNormalization(config);
}
