// Sec. 6 of the paper: where a normalization batch holds one class, its statistics tell about the label, and the network
// learns to read it there. Which samples share statistics decides, not how many, nor what else is in the SGD batch.

import type { LabeledImages } from '@rebatch/digits';
import { firstDigits, loadDigits } from '@rebatch/digits/mnist';
import { decide } from '../claims.ts';
import { conditionFigure, conditionTable, differences, listOf, meanOf } from '../conditions.ts';
import type { Claim, Experiment } from '../experiment.ts';
import { digitFragments } from '../leakage/digit-fragments.ts';
import {
  type GroupedCondition,
  type GroupedRow,
  type GroupedSettings,
  OWN,
  POPULATION,
  runConditions,
  STRANGERS,
  TRAINING,
} from '../leakage/grouped-runs.ts';
import { shrink } from '../leakage/shrink.ts';
import { mean, percent, percents } from '../summary.ts';

/** All but the first train on class-grouped batches. */
const CONDITIONS = {
  'iid batches': { sampler: 'iid', grouping: 'in order' },
  'class groups': { sampler: 'grouped', grouping: 'in order' },
  'Ghost BN, strided': { sampler: 'grouped', grouping: 'strided' },
  shuffled: { sampler: 'grouped', grouping: 'shuffled' },
  SyncBN: { sampler: 'grouped', grouping: 'sync' },
} as const satisfies Record<string, GroupedCondition>;
type Condition = keyof typeof CONDITIONS;
const LEAKING = 'class groups';
const MIXED = ['Ghost BN, strided', 'shuffled', 'SyncBN'] as const;

/** One of the errors of one training. */
export type Row = GroupedRow<Condition>;

interface Settings extends GroupedSettings {
  /** Digits are averaged over squares of so many pixels. */
  readonly shrink: number;
  /** Of each digit, a square window of so many pixels is seen. Whoever can read each one alone needs no others. */
  readonly window: number;
  /** Training digits. */
  readonly training: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  shrink: 2,
  window: 4,
  // The last BN sees 7x7 places. With one place, it would take a group's class away with its mean.
  blocks: [8, 'pool', 16, 16],
  batch: 256,
  groups: 16,
  steps: 250,
  learningRate: 0.3,
  schedule: 'cosine',
  training: 10_240,
  evaluation: 16,
  population: { mode: 'layerwise', samples: 2_048 },
};

const QUICK: Settings = { ...FULL, seeds: [1], steps: 100, evaluation: 8 };

export const leakClassGrouped: Experiment<Row, Settings> = {
  name: 'leak-class-grouped',
  section: '6. Leakage: normalization batches of one class',
  summary:
    'errors on fragments of digits after training on class-grouped batches, by what is normalized together',
  finding:
    'A model whose mini-batches hold one class each learns to read the label from their statistics: its training error ' +
    'is low, its error under population statistics far above. Mixing what is normalized together repairs it.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ steps }) => Object.keys(CONDITIONS).length * steps,

  async runSeed(seed, settings, context) {
    const fragments = (digits: LabeledImages, from: number) => {
      const images = digitFragments(shrink(digits, settings.shrink), settings.window, from);
      return { images, keys: images.labels };
    };
    const train = fragments(firstDigits(await loadDigits('train'), settings.training), seed);
    const validation = fragments(await loadDigits('t10k'), 1000 + seed);
    return runConditions(CONDITIONS, { train, validation }, seed, settings, context);
  },

  claims,

  table: ({ rows }) => conditionTable(rows, 'error %'),

  figures: (rows) => [conditionFigure(rows, { label: 'error (%)' })],
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const error = (condition: Condition, measure: Row['measure']) => meanOf(rows, condition, measure);
  const list = (measure: Row['measure'], conditions: readonly Condition[]) =>
    listOf(rows, conditions, measure);
  const above = (measure: Row['measure'], condition: Condition) =>
    differences(rows, [condition, measure], [condition, OWN]);
  const cheats = above(POPULATION, LEAKING);
  const strangers = above(STRANGERS, LEAKING);
  const repaired = (condition: Condition) =>
    differences(rows, [LEAKING, POPULATION], [condition, POPULATION]);
  const training = list(TRAINING, [LEAKING, ...MIXED]);
  const gaps = MIXED.map((c) => `${c} ${percent(mean(above(POPULATION, c)))}`).join('; ');
  return [
    decide(
      'The network cheats: on digits that it never saw, the error under population statistics is at least 5 percentage ' +
        'points above that in its own class groups, in every seed.',
      `own groups ${percent(error(LEAKING, OWN))}, population ${percent(error(LEAKING, POPULATION))}; by seed ` +
        `${percents(cheats)} above`,
      cheats.every((by) => by >= 0.05),
      `By seed it is ${percents(cheats)} above.`,
    ),
    decide(
      'It is the company that helps: among strangers, in groups as small, it errs at least 5 percentage points more than ' +
        'in its own, in every seed.',
      `own groups ${percent(error(LEAKING, OWN))}, strangers ${percent(error(LEAKING, STRANGERS))}; by seed ` +
        `${percents(strangers)} above`,
      strangers.every((by) => by >= 0.05),
      `By seed it is ${percents(strangers)} above.`,
    ),
    decide(
      'Its training error hides that: it is lower than with mixed groups, and the error under population statistics higher.',
      `training error ${training}; under population statistics ${list(POPULATION, [LEAKING, ...MIXED])}`,
      MIXED.every(
        (c) =>
          error(LEAKING, TRAINING) < error(c, TRAINING) && error(LEAKING, POPULATION) > error(c, POPULATION),
      ),
      `Not against each of them: training error ${training}.`,
    ),
    ...MIXED.map((condition) =>
      decide(
        `Mixing repairs it (${condition}): on the same class-grouped batches, the error under population statistics is ` +
          'at least 2 percentage points lower, in every seed.',
        `population ${list(POPULATION, [LEAKING, condition])}; by seed ${percents(repaired(condition))} lower`,
        repaired(condition).every((by) => by >= 0.02),
        `By seed it is ${percents(repaired(condition))} lower.`,
      ),
    ),
    decide(
      'With mixed groups nothing is left to read: population statistics are at most 1 percentage point worse than those ' +
        'of training.',
      `population statistics worse by: ${gaps}`,
      MIXED.every((c) => mean(above(POPULATION, c)) <= 0.01),
      `Not with each of them: ${gaps}.`,
    ),
  ];
}
