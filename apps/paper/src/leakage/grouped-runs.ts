// Trainings that differ in nothing but which samples meet in a normalization batch, and the errors of each.

import type { LabeledImages } from '@rebatch/digits';
import { groupedBatches, iidBatches } from '@rebatch/leakage';
import type { ConditionRow } from '../conditions.ts';
import type { SeedContext, SeedSettings } from '../experiment.ts';
import { type Block, errorRate } from '../network.ts';
import { usePopulation } from '../population.ts';
import { cosineDecay, Training } from '../training.ts';
import { firstBatches } from './first-batches.ts';
import { buildGroupedNetwork, type Grouping } from './grouped-network.ts';

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

/** Images, and the key that the members of a group share. */
export interface KeyedImages {
  readonly images: LabeledImages;
  readonly keys: ArrayLike<number>;
}

export interface GroupedSettings extends SeedSettings {
  readonly blocks: readonly Block[];
  readonly batch: number;
  /** Normalization batches per SGD batch. */
  readonly groups: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly schedule: 'cosine';
  /** Batches per error. */
  readonly evaluation: number;
  /** Of iid training images. */
  readonly population: { readonly mode: 'layerwise'; readonly samples: number };
}

/** One training per condition, each from the same weights: four rows of each. */
export async function runConditions<Condition extends string>(
  conditions: Readonly<Record<Condition, GroupedCondition>>,
  { train, validation }: { readonly train: KeyedImages; readonly validation: KeyedImages },
  seed: number,
  settings: GroupedSettings,
  context: SeedContext,
): Promise<GroupedRow<Condition>[]> {
  const { blocks, batch, groups, steps, learningRate, evaluation, population } = settings;
  const batchesOf = ({ images, keys }: KeyedImages, sampler: GroupedCondition['sampler'], from: number) =>
    sampler === 'iid'
      ? iidBatches({ samples: images.size, batchSize: batch, seed: from })
      : groupedBatches({ by: keys, batchSize: batch, groupSize: batch / groups, seed: from });
  const rows: GroupedRow<Condition>[] = [];
  for (const condition of Object.keys(conditions) as Condition[]) {
    const { sampler, grouping } = conditions[condition];
    const { shape: inputShape, classes } = train.images;
    const model = buildGroupedNetwork({
      ...{ seed, momentum: 0, blocks, inputShape, classes },
      ...{ grouping, batch, groups },
    });
    const batches = batchesOf(train, sampler, seed);
    const training = new Training(model, train.images, { seed, batch, batches, learningRate });
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
      for (let step = 0; step < steps; step++) {
        training.setLearningRate(cosineDecay(learningRate, step, steps));
        await training.step(context, `seed ${seed}, ${condition}`);
      }
      await measure(TRAINING, train, sampler, 'batch');
      await measure(OWN, validation, sampler, 'batch');
      await measure(STRANGERS, validation, 'iid', 'batch');
      // Last, because batch statistics move the moving statistics.
      await usePopulation(model, train.images, { seed, batch: 256, ...population, signal: context.signal });
      await measure(POPULATION, validation, 'iid', 'population');
    } finally {
      model.dispose();
      training.dispose();
    }
  }
  return rows;
}
