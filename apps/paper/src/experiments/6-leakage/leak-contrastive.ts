// Sec. 6 of the paper: contrastive learning. Where both views of an image are normalized together, and the other images
// elsewhere, the statistics of its group tell which views belong together, whatever they show.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { LabeledImages } from '@rebatch/images';
import { iidBatches } from '@rebatch/leakage';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import {
  type ConditionRow,
  conditionFigure,
  conditionTable,
  differences,
  listOf,
  meanOf,
} from '../../rows/conditions.ts';
import { decide } from '../../rows/decide.ts';
import { mean, percent, percents } from '../../rows/summary.ts';
import type { Block } from '../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../training/population.ts';
import { trainEncoder } from './contrastive.ts';
import { digitFragments } from './digit-fragments.ts';
import { firstBatches } from './first-batches.ts';
import { buildGroupedNetwork, type Grouping } from './grouped-network.ts';
import { nearestNeighborError } from './nearest-neighbor.ts';
import { mismatchRate } from './pairs.ts';
import { shrink } from './shrink.ts';

/** Strided groups are no remedy here: one of them would hold the first views of the images of which another has the second. */
const CONDITIONS = {
  'pairs together': 'in order',
  shuffled: 'shuffled',
  SyncBN: 'sync',
} as const satisfies Record<string, Grouping>;
type Condition = keyof typeof CONDITIONS;
const LEAKING = 'pairs together';
const MIXED = ['shuffled', 'SyncBN'] as const;

/**
 * Mismatches where the views of an image are in one group of the batch, as in training; where the views of the batch are
 * permuted; and in inference. Then, in inference, whether what was learned tells classes apart.
 */
const MEASURES = [
  'mismatches, pairs together',
  'mismatches, pairs apart',
  'mismatches, population',
  'nearest neighbor, population',
] as const;
const [TOGETHER, APART, POPULATION, NEIGHBOR] = MEASURES;

/** Views matched with another image's, or digits whose nearest neighbor is of another class: a share, 0 to 1. */
export interface Row extends ConditionRow {
  readonly condition: Condition;
  readonly measure: (typeof MEASURES)[number];
}

interface Settings extends SeedSettings {
  /** Digits are averaged over squares of so many pixels. */
  readonly shrink: number;
  /** Side of the window that a view shows, in pixels. */
  readonly window: number;
  readonly blocks: readonly Block[];
  /** Values that an image is encoded in. */
  readonly features: number;
  /** Images per batch; each has two views in it. */
  readonly pairs: number;
  /** Normalization batches per batch. */
  readonly groups: number;
  readonly steps: number;
  readonly optimizer: 'adam';
  readonly learningRate: number;
  readonly temperature: number;
  /** Training digits. */
  readonly training: number;
  /** Batches of validation digits that are matched. */
  readonly evaluation: number;
  readonly population: LayerwisePopulation;
  /** Training digits among which a neighbor is looked for, and validation digits. */
  readonly neighbors: { readonly known: number; readonly validation: number };
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  shrink: 2,
  window: 6,
  blocks: [8, 'pool', 16, 16],
  features: 32,
  pairs: 128,
  groups: 64,
  steps: 300,
  optimizer: 'adam',
  learningRate: 0.005,
  temperature: 0.2,
  training: 10_240,
  evaluation: 16,
  population: { mode: 'layerwise', samples: 2_048 },
  neighbors: { known: 2_000, validation: 1_000 },
};

const QUICK: Settings = { ...FULL, seeds: [1], steps: 150, evaluation: 8 };

export const leakContrastive: Experiment<Row, Settings> = {
  name: 'leak-contrastive',
  section: '6. Leakage: pairs of contrastive learning',
  summary:
    'mismatched views, and the class of the nearest neighbor, by what is normalized together in training',
  finding:
    'Contrastive learning lets a model match a pair by the statistics of its normalization batch, which no other image ' +
    'shares, instead of by what is seen. Shuffling the samples among normalization batches, or SyncBN, stops it.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ steps }) => Object.keys(CONDITIONS).length * steps,

  async runSeed(seed, settings, context) {
    const { pairs, groups, blocks, features, window, evaluation, neighbors } = settings;
    const small = (digits: LabeledImages, size: number) => shrink(firstDigits(digits, size), settings.shrink);
    const [digits, others] = await Promise.all([loadDigits('train'), loadDigits('t10k')]);
    const [train, validation] = [small(digits, settings.training), shrink(others, settings.shrink)];
    const views = digitFragments(train, window, seed);
    const [known, asked] = [small(digits, neighbors.known), small(others, neighbors.validation)];
    const population = { seed, batch: 256, ...settings.population, signal: context.signal };
    const measured = iidBatches({ samples: validation.size, batchSize: pairs, seed: 1000 + seed });
    const batches = firstBatches(measured, evaluation);
    const layout = { groups, window };
    const rows: Row[] = [];
    for (const condition of Object.keys(CONDITIONS) as Condition[]) {
      const model = buildGroupedNetwork({
        ...{ seed, momentum: 0, blocks, inputShape: train.shape, classes: features },
        ...{ grouping: CONDITIONS[condition], batch: 2 * pairs, groups },
      });
      const add = (measure: Row['measure'], value: number) => rows.push({ seed, condition, measure, value });
      try {
        await trainEncoder(model, train, { seed, ...settings }, context, `seed ${seed}, ${condition}`);
        add(TOGETHER, mismatchRate(model, validation, batches, layout, 'together', seed));
        add(APART, mismatchRate(model, validation, batches, layout, 'apart', seed));
        await usePopulation(model, views, population);
        add(POPULATION, mismatchRate(model, validation, batches, layout, 'population', seed));
        // Neighbors are whole digits, and so the population is.
        await usePopulation(model, train, population);
        add(NEIGHBOR, nearestNeighborError(model, known, asked));
      } finally {
        model.dispose();
      }
    }
    return rows;
  },

  claims,

  table: ({ rows }) => conditionTable(rows, 'share %'),

  figures: (rows) => [conditionFigure(rows, { label: 'mismatches, or errors (%)' })],
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const share = (condition: Condition, measure: Row['measure']) => percent(meanOf(rows, condition, measure));
  const list = (conditions: readonly Condition[], measure: Row['measure']) =>
    listOf(rows, conditions, measure);
  const above = (condition: Condition, measure: Row['measure']) =>
    differences(rows, [condition, measure], [condition, TOGETHER]);
  const better = (condition: Condition, measure: Row['measure']) =>
    differences(rows, [LEAKING, measure], [condition, measure]);
  const [apart, population] = [above(LEAKING, APART), above(LEAKING, POPULATION)];
  const advantages = MIXED.map((c) => `${c} ${percent(mean(above(c, APART)))}`).join('; ');
  return [
    decide(
      'The model matches pairs by the group that they are in: with the views of a batch permuted, at least 20 percentage ' +
        'points more are mismatched, in every seed.',
      `pairs together ${share(LEAKING, TOGETHER)}, apart ${share(LEAKING, APART)}; by seed ${percents(apart)} above`,
      apart.every((by) => by >= 0.2),
      `By seed ${percents(apart)} more.`,
    ),
    decide(
      'In inference that is gone: under population statistics, too, at least 20 percentage points more are mismatched.',
      `pairs together ${share(LEAKING, TOGETHER)}, population ${share(LEAKING, POPULATION)}; by seed ` +
        `${percents(population)} above`,
      population.every((by) => by >= 0.2),
      `By seed ${percents(population)} more.`,
    ),
    decide(
      'Shuffling stops it, as SyncBN does: whether pairs are together makes no difference above 2 percentage points.',
      `more mismatched with pairs apart by: ${advantages}`,
      MIXED.every((c) => Math.abs(mean(above(c, APART))) <= 0.02),
      `It does: ${advantages}.`,
    ),
    ...MIXED.map((condition) =>
      decide(
        `What is learned instead is the task (${condition}): at least 3 percentage points fewer are mismatched in ` +
          'inference, in every seed.',
        `population ${list([LEAKING, condition], POPULATION)}; by seed ${percents(better(condition, POPULATION))} fewer`,
        better(condition, POPULATION).every((by) => by >= 0.03),
        `By seed ${percents(better(condition, POPULATION))} fewer.`,
      ),
    ),
    ...MIXED.map((condition) =>
      decide(
        `And the representation is better (${condition}): the nearest neighbor of a digit is of its class more often, in ` +
          'every seed.',
        `of another class ${list([LEAKING, condition], NEIGHBOR)}; by seed ${percents(better(condition, NEIGHBOR))} fewer`,
        better(condition, NEIGHBOR).every((by) => by > 0),
        `By seed ${percents(better(condition, NEIGHBOR))} fewer.`,
      ),
    ),
  ];
}
