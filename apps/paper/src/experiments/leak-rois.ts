// Sec. 6 of the paper: the second stage of a detector. Its head classifies regions of interest, and the regions of one
// image, normalized together, tell about each other: an image shows several objects of a class, in one light.

import { firstDigits, loadDigits } from '@rebatch/digits/mnist';
import { decide } from '../claims.ts';
import { conditionFigure, conditionTable, differences, listOf, meanOf } from '../conditions.ts';
import type { Claim, Experiment } from '../experiment.ts';
import {
  type GroupedCondition,
  type GroupedRow,
  type GroupedSettings,
  OWN,
  POPULATION,
  runConditions,
  STRANGERS,
} from '../leakage/grouped-runs.ts';
import { regionsOf, type SceneSettings } from '../leakage/regions.ts';
import { shrink } from '../leakage/shrink.ts';
import { mean, percent, percents } from '../summary.ts';

/** The SGD batch is the same in all: the regions of several images, one image after another. */
const CONDITIONS = {
  'per image': { sampler: 'grouped', grouping: 'in order' },
  'Ghost BN, strided': { sampler: 'grouped', grouping: 'strided' },
  shuffled: { sampler: 'grouped', grouping: 'shuffled' },
  SyncBN: { sampler: 'grouped', grouping: 'sync' },
} as const satisfies Record<string, GroupedCondition>;
type Condition = keyof typeof CONDITIONS;
const LEAKING = 'per image';
const MIXED = ['Ghost BN, strided', 'shuffled', 'SyncBN'] as const;

/** One of the errors of one training. */
export type Row = GroupedRow<Condition>;

interface Settings extends GroupedSettings {
  /** Digits are averaged over squares of so many pixels. */
  readonly shrink: number;
  readonly scene: SceneSettings;
  /** Digits that training scenes are made of; others are made of the 10,000 of the test set. */
  readonly training: number;
  readonly trainingScenes: number;
  readonly validationScenes: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  shrink: 2,
  scene: { size: 64, digits: 6, classes: 1, background: 0.2, foreground: 12, between: 4, offset: 6 },
  training: 10_240,
  trainingScenes: 1_500,
  validationScenes: 256,
  blocks: [8, 'pool', 16, 16],
  batch: 256,
  // One per image.
  groups: 16,
  steps: 250,
  learningRate: 0.3,
  schedule: 'cosine',
  evaluation: 16,
  population: { mode: 'layerwise', samples: 2_048 },
};

const QUICK: Settings = { ...FULL, seeds: [1], trainingScenes: 500, steps: 100, evaluation: 8 };

export const leakRois: Experiment<Row, Settings> = {
  name: 'leak-rois',
  section: '6. Leakage: the regions of one image',
  summary:
    'errors of a head on regions of digit scenes, by which regions are normalized together in training',
  finding:
    'In a two-stage detector, the regions of one image are far from independent. A head that normalizes them together ' +
    'is much worse under population than under mini-batch statistics; SyncBN or shuffling repairs it.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ steps }) => Object.keys(CONDITIONS).length * steps,

  async runSeed(seed, settings, context) {
    const { scene, trainingScenes, validationScenes, training } = settings;
    const digits = shrink(firstDigits(await loadDigits('train'), training), settings.shrink);
    const others = shrink(await loadDigits('t10k'), settings.shrink);
    const train = regionsOf(digits, scene, trainingScenes, seed);
    const validation = regionsOf(others, scene, validationScenes, 1000 + seed);
    const sets = {
      train: { images: train, keys: train.scenes },
      validation: { images: validation, keys: validation.scenes },
    };
    return runConditions(CONDITIONS, sets, seed, settings, context);
  },

  claims,

  table: ({ rows }) => conditionTable(rows, 'error %'),

  figures: (rows) => [conditionFigure(rows, { label: 'error (%)' })],
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const error = (condition: Condition, measure: Row['measure']) => percent(meanOf(rows, condition, measure));
  const above = (measure: Row['measure'], condition: Condition) =>
    differences(rows, [condition, measure], [condition, OWN]);
  const repaired = (condition: Condition) =>
    differences(rows, [LEAKING, POPULATION], [condition, POPULATION]);
  const [population, strangers] = [above(POPULATION, LEAKING), above(STRANGERS, LEAKING)];
  const gaps = MIXED.map((c) => `${c} ${percent(mean(above(POPULATION, c)))}`).join('; ');
  return [
    decide(
      'Normalized per image in training, the head is worse under population statistics than under those of the image at ' +
        'hand, by at least 3 percentage points in every seed.',
      `regions of one image ${error(LEAKING, OWN)}, population ${error(LEAKING, POPULATION)}; by seed ` +
        `${percents(population)} above`,
      population.every((by) => by >= 0.03),
      `By seed it is ${percents(population)} above.`,
    ),
    decide(
      'It relies on their company: on regions of mixed images, normalized in groups as small, it is worse by at least 3 ' +
        'percentage points in every seed.',
      `regions of one image ${error(LEAKING, OWN)}, of mixed images ${error(LEAKING, STRANGERS)}; by seed ` +
        `${percents(strangers)} above`,
      strangers.every((by) => by >= 0.03),
      `By seed it is ${percents(strangers)} above.`,
    ),
    ...MIXED.map((condition) =>
      decide(
        `Mixing repairs it (${condition}): under population statistics the error is at least 3 percentage points lower, ` +
          'in every seed.',
        `population ${listOf(rows, [LEAKING, condition], POPULATION)}; by seed ${percents(repaired(condition))} lower`,
        repaired(condition).every((by) => by >= 0.03),
        `By seed it is ${percents(repaired(condition))} lower.`,
      ),
    ),
    decide(
      'With mixed groups, population statistics are at most 1 percentage point worse than those of training.',
      `population statistics worse by: ${gaps}`,
      MIXED.every((c) => mean(above(POPULATION, c)) <= 0.01),
      `Not with each of them: ${gaps}.`,
    ),
  ];
}
