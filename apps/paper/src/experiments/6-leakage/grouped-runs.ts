// Trainings that differ in nothing but which samples meet in a normalization batch, and the errors of each.

import type { LabeledImages } from '@rebatch/images';
import { groupedBatches, iidBatches } from '@rebatch/leakage';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext, SeedSettings } from '../../experiment.ts';
import type { ConditionRow } from '../../rows/conditions.ts';
import { buildNetwork, errorRate } from '../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../training/population.ts';
import { type CosineSettings, trainWithCosine } from '../../training/training.ts';
import { firstBatches } from './first-batches.ts';
import { type BuildNetwork, type Grouping, groupedNetwork } from './grouped-network.ts';

/**
 * The errors of one training: in the batches of its own sampler, normalized as in training (of training images, and of
 * those never seen); in batches of strangers, normalized likewise; and by population statistics.
 */
export const MEASURES = [
  'training, as trained',
  'validation, as trained',
  'validation, strangers',
  'validation, population',
] as const;
export const [TRAINING, OWN, STRANGERS, POPULATION] = MEASURES;

/** A share of images that are misclassified, 0 to 1. */
export interface GroupedRow<Condition extends string = string> extends ConditionRow {
  readonly condition: Condition;
  readonly measure: (typeof MEASURES)[number];
}

/** Which batches train (those of iid images, or of groups that share a key), and what is normalized together in them. */
export interface GroupedCondition {
  readonly sampler: 'iid' | 'grouped';
  readonly grouping: Grouping;
}

/** The same batches, and in them groups that are mixed. */
export const MIXED = {
  'Ghost BN, strided': { sampler: 'grouped', grouping: 'strided' },
  shuffled: { sampler: 'grouped', grouping: 'shuffled' },
  SyncBN: { sampler: 'grouped', grouping: 'sync' },
} as const satisfies Record<string, GroupedCondition>;

/** Groups of one kind: those of a batch in its order. */
export const ALIKE = { sampler: 'grouped', grouping: 'in order' } as const satisfies GroupedCondition;

/** Images, and the key that the members of a group share. */
export interface KeyedImages {
  readonly images: LabeledImages;
  readonly keys: ArrayLike<number>;
}

/** What is measured, whatever the network and its training. */
export interface GroupedMeasures extends SeedSettings {
  /** Samples per training batch, and the normalization batches in it. */
  readonly batch: number;
  readonly groups: number;
  /** Batches per error. */
  readonly evaluation: number;
  /** Of iid training images. */
  readonly population: LayerwisePopulation;
}

export interface GroupedSettings extends GroupedMeasures, CosineSettings {
  /** Digits are averaged over squares of so many pixels. */
  readonly shrink: number;
  /** Training digits. */
  readonly training: number;
}

/** What is the same wherever groups of one kind are compared with mixed ones. */
export const GROUPED = {
  seeds: [1, 2, 3],
  shrink: 2,
  // The last BN sees 7x7 places. With one place, it would take what a group has in common away with its mean.
  blocks: [8, 'pool', 16, 16],
  batch: 256,
  groups: 16,
  steps: 250,
  learningRate: 0.3,
  schedule: 'cosine',
  training: 10_240,
  evaluation: 16,
  population: { mode: 'layerwise', samples: 2_048 },
} as const satisfies GroupedSettings;

/** The same in a quick run. */
export const GROUPED_QUICK = { seeds: [1], steps: 100, evaluation: 8 } as const;

/** A kind of network, and how it is trained on batches that are given. */
export interface GroupedSubject {
  readonly build: BuildNetwork;
  train(
    model: tfl.LayersModel,
    images: LabeledImages,
    batches: Generator<number[], never>,
    what: string,
  ): Promise<void>;
}

interface Sets {
  readonly train: KeyedImages;
  readonly validation: KeyedImages;
}

/** One training of the small networks per condition, each from the same weights: four rows of each. */
export async function runConditions<Condition extends string>(
  conditions: Readonly<Record<Condition, GroupedCondition>>,
  sets: Sets,
  seed: number,
  settings: GroupedSettings,
  context: SeedContext,
): Promise<GroupedRow<Condition>[]> {
  const { shape: inputShape, classes } = sets.train.images;
  const { blocks } = settings;
  const subject: GroupedSubject = {
    build: (own) => buildNetwork({ ...{ seed, momentum: 0, blocks, inputShape, classes }, ...own }),
    train: (model, images, batches, what) =>
      trainWithCosine(model, images, { seed, ...settings, batches }, context, what),
  };
  return runSubject(subject, conditions, sets, seed, settings, context.signal);
}

/** One training per condition, each from the same weights: four rows of each. */
export async function runSubject<Condition extends string>(
  subject: GroupedSubject,
  conditions: Readonly<Record<Condition, GroupedCondition>>,
  { train, validation }: Sets,
  seed: number,
  { batch, groups, evaluation, population }: GroupedMeasures,
  signal: AbortSignal,
): Promise<GroupedRow<Condition>[]> {
  const batchesOf = ({ images, keys }: KeyedImages, sampler: GroupedCondition['sampler'], from: number) =>
    sampler === 'iid'
      ? iidBatches({ samples: images.size, batchSize: batch, seed: from })
      : groupedBatches({ by: keys, batchSize: batch, groupSize: batch / groups, seed: from });
  const rows: GroupedRow<Condition>[] = [];
  for (const condition of Object.keys(conditions) as Condition[]) {
    const { sampler, grouping } = conditions[condition];
    const model = groupedNetwork(subject.build, { grouping, batch, groups }, seed);
    const measure = async (
      name: GroupedRow['measure'],
      set: KeyedImages,
      kind: GroupedCondition['sampler'],
      statistics: 'batch' | 'population',
    ) => {
      const measured = firstBatches(batchesOf(set, kind, 1000 + seed), evaluation);
      const value = await errorRate(model, set.images, measured, statistics);
      rows.push({ seed, condition, measure: name, value });
    };
    try {
      await subject.train(model, train.images, batchesOf(train, sampler, seed), `seed ${seed}, ${condition}`);
      await measure(TRAINING, train, sampler, 'batch');
      await measure(OWN, validation, sampler, 'batch');
      await measure(STRANGERS, validation, 'iid', 'batch');
      // Last, because batch statistics move the moving statistics.
      await usePopulation(model, train.images, { seed, batch: 256, ...population, signal });
      await measure(POPULATION, validation, 'iid', 'population');
    } finally {
      model.dispose();
    }
  }
  return rows;
}
