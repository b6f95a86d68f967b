// Sec. 6 of the paper: the second stage of a detector. Its head classifies regions of interest, and the regions of one
// image, normalized together, tell about each other: an image shows several objects of a class, in one light.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { Experiment } from '../../experiment.ts';
import { meanOf, tableAndFigure } from '../../rows/conditions.ts';
import { decide } from '../../rows/decide.ts';
import { percent, percents } from '../../rows/summary.ts';
import { aboveOwn, consistencyClaim, repairClaims } from './grouped-claims.ts';
import {
  ALIKE,
  GROUPED,
  GROUPED_QUICK,
  type GroupedRow,
  type GroupedSettings,
  MIXED,
  OWN,
  POPULATION,
  runConditions,
  STRANGERS,
} from './grouped-runs.ts';
import { regionsOf, type SceneSettings } from './regions.ts';
import { shrink } from './shrink.ts';

/** The SGD batch is the same in all: the regions of several images, one image after another. */
const CONDITIONS = { 'per image': ALIKE, ...MIXED };
type Condition = keyof typeof CONDITIONS;
const LEAKING = 'per image';

/** One of the errors of one training. */
export type Row = GroupedRow<Condition>;

interface Settings extends GroupedSettings {
  readonly scene: SceneSettings;
  /** Made of the training digits; those of validation are made of the 10,000 of the test set. */
  readonly trainingScenes: number;
  readonly validationScenes: number;
}

const FULL: Settings = {
  // A group per image.
  ...GROUPED,
  scene: { size: 64, digits: 6, classes: 1, background: 0.2, foreground: 12, between: 4, offset: 6 },
  trainingScenes: 1_500,
  validationScenes: 256,
};

const QUICK: Settings = { ...FULL, ...GROUPED_QUICK, trainingScenes: 500 };

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

  ...tableAndFigure('error'),
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const error = (measure: Row['measure']) => percent(meanOf(rows, LEAKING, measure));
  const population = aboveOwn(rows, LEAKING, POPULATION);
  const strangers = aboveOwn(rows, LEAKING, STRANGERS);
  return [
    decide(
      'Normalized per image in training, the head is worse under population statistics than under those of the image at ' +
        'hand, by at least 3 percentage points in every seed.',
      `regions of one image ${error(OWN)}, population ${error(POPULATION)}; by seed ` +
        `${percents(population)} above`,
      population.every((by) => by >= 0.03),
      `By seed it is ${percents(population)} above.`,
    ),
    decide(
      'It relies on their company: on regions of mixed images, normalized in groups as small, it is worse by at least 3 ' +
        'percentage points in every seed.',
      `regions of one image ${error(OWN)}, of mixed images ${error(STRANGERS)}; by seed ` +
        `${percents(strangers)} above`,
      strangers.every((by) => by >= 0.03),
      `By seed it is ${percents(strangers)} above.`,
    ),
    ...repairClaims(
      rows,
      LEAKING,
      (condition) =>
        `Mixing repairs it (${condition}): under population statistics the error is at least 3 percentage points lower, ` +
        'in every seed.',
      0.03,
    ),
    consistencyClaim(
      rows,
      'With mixed groups, population statistics are at most 1 percentage point worse than those of training.',
    ),
  ];
}
