// Sec. 6 of the paper: where a normalization batch holds one class, its statistics tell about the label, and the network
// learns to read it there. Which samples share statistics decides, not how many, nor what else is in the SGD batch.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { LabeledImages } from '@rebatch/images';
import type { Experiment } from '../../experiment.ts';
import { listOf, meanOf, tableAndFigure } from '../../rows/conditions.ts';
import { decide } from '../../rows/decide.ts';
import { percent, percents } from '../../rows/summary.ts';
import { digitFragments } from './digit-fragments.ts';
import { aboveOwn, consistencyClaim, MIXED_NAMES, repairClaims } from './grouped-claims.ts';
import {
  ALIKE,
  GROUPED,
  GROUPED_QUICK,
  type GroupedCondition,
  type GroupedRow,
  type GroupedSettings,
  MIXED,
  OWN,
  POPULATION,
  runConditions,
  STRANGERS,
  TRAINING,
} from './grouped-runs.ts';
import { shrink } from './shrink.ts';

/** All but the first train on class-grouped batches. */
const CONDITIONS = {
  'iid batches': { sampler: 'iid', grouping: 'in order' },
  'class groups': ALIKE,
  ...MIXED,
} as const satisfies Record<string, GroupedCondition>;
type Condition = keyof typeof CONDITIONS;
const LEAKING = 'class groups';

/** One of the errors of one training. */
export type Row = GroupedRow<Condition>;

interface Settings extends GroupedSettings {
  /** Of each digit, a square window of so many pixels is seen. Whoever can read each one alone needs no others. */
  readonly window: number;
}

const FULL: Settings = { ...GROUPED, window: 4 };

const QUICK: Settings = { ...FULL, ...GROUPED_QUICK };

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

  ...tableAndFigure('error'),
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const error = (condition: Condition, measure: Row['measure']) => meanOf(rows, condition, measure);
  const cheats = aboveOwn(rows, LEAKING, POPULATION);
  const strangers = aboveOwn(rows, LEAKING, STRANGERS);
  const list = (measure: Row['measure']) => listOf(rows, [LEAKING, ...MIXED_NAMES], measure);
  const training = list(TRAINING);
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
      `training error ${training}; under population statistics ${list(POPULATION)}`,
      MIXED_NAMES.every(
        (c) =>
          error(LEAKING, TRAINING) < error(c, TRAINING) && error(LEAKING, POPULATION) > error(c, POPULATION),
      ),
      `Not against each of them: training error ${training}.`,
    ),
    ...repairClaims(
      rows,
      LEAKING,
      (condition) =>
        `Mixing repairs it (${condition}): on the same class-grouped batches, the error under population statistics is ` +
        'at least 2 percentage points lower, in every seed.',
      0.02,
    ),
    consistencyClaim(
      rows,
      'With mixed groups nothing is left to read: population statistics are at most 1 percentage point worse than those ' +
        'of training.',
    ),
  ];
}
