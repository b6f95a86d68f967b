// Sec. 6 of the paper on photographs: normalization batches of one class tell the label, and the network learns to read it.

import type { Claim } from '@rebatch/findings';
import type { LabeledImages } from '@rebatch/images';
import type { Experiment } from '../../experiment.ts';
import { first } from '../../photographs/clean-experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import { stepsOf, type TrainingSettings, trainOnPhotographs } from '../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../photographs/short-training.ts';
import { conditionFigure, conditionTable, differences, listOf, meanOf } from '../../rows/conditions.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { mean, percent } from '../../rows/summary.ts';
import { aboveOwn, MIXED_NAMES } from './grouped-claims.ts';
import {
  ALIKE,
  type GroupedCondition,
  type GroupedMeasures,
  type GroupedRow,
  MIXED,
  OWN,
  POPULATION,
  runSubject,
  STRANGERS,
  TRAINING as TRAINED,
} from './grouped-runs.ts';

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

interface Settings extends GroupedMeasures {
  readonly training: TrainingSettings;
  /** Training photographs. */
  readonly photographs: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  photographs: TRAINING,
  training: { ...SHORT, batch: 256 },
  batch: 256,
  groups: 16,
  evaluation: 10,
  population: { mode: 'layerwise', samples: 2_048 },
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  photographs: QUICK_PHOTOGRAPHS,
  evaluation: 2,
  population: { mode: 'layerwise', samples: 512 },
};

export const cifar10LeakClassGrouped: Experiment<Row, Settings> = {
  name: 'cifar10-leak-class-grouped',
  section: '6. CIFAR-10: normalization batches of one class',
  summary: 'errors on photographs after training on class-grouped batches, by what is normalized together',
  finding:
    'A model whose mini-batches hold one class each learns to read the label from their statistics: its training error ' +
    'is low, its error under population statistics far above. Mixing what is normalized together repairs it.',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ training, photographs }) => Object.keys(CONDITIONS).length * stepsOf(training, photographs),

  async runSeed(seed, settings, context) {
    const photographs = await loadPhotographs(context.signal);
    const keyed = (images: LabeledImages) => ({ images, keys: images.labels });
    const sets = {
      train: keyed(first(photographs.training, settings.photographs)),
      validation: keyed(photographs.validation),
    };
    const { training } = settings;
    return runSubject(
      {
        build: (own) => buildResidualNetwork({ seed, momentum: 0, ...own }),
        train: (model, images, batches, what) =>
          trainOnPhotographs(model, images, seed, training, context, what, batches),
      },
      CONDITIONS,
      sets,
      seed,
      settings,
      context.signal,
    );
  },

  claims,

  table: ({ rows }) => conditionTable(rows, 'error %', percentInterval),

  figures: (rows) => [conditionFigure(rows, { label: 'error (%)' })],
};

/** The findings of Sec. 6, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const error = (condition: Condition, measure: Row['measure']) => percent(meanOf(rows, condition, measure));
  const cheats = aboveOwn(rows, LEAKING, POPULATION);
  const strangers = aboveOwn(rows, LEAKING, STRANGERS);
  const list = (measure: Row['measure']) => listOf(rows, [LEAKING, ...MIXED_NAMES], measure);
  const hidden = MIXED_NAMES.map((name) => differences(rows, [name, TRAINED], [LEAKING, TRAINED]));
  const gaps = MIXED_NAMES.map((name) => aboveOwn(rows, name, POPULATION));
  return [
    decideByMargin(
      'The network cheats: on photographs that it never saw, the error under population statistics is at least 5 points ' +
        'above that in its own class groups.',
      `own groups ${error(LEAKING, OWN)}, population ${error(LEAKING, POPULATION)}`,
      cheats.map((by) => by - 0.05),
      `It is ${percent(mean(cheats))} above.`,
    ),
    decideByMargin(
      'It is the company that helps: among strangers, in groups as small, it errs at least 5 points more than in its own.',
      `own groups ${error(LEAKING, OWN)}, strangers ${error(LEAKING, STRANGERS)}`,
      strangers.map((by) => by - 0.05),
      `It errs ${percent(mean(strangers))} more.`,
    ),
    decideByMargin(
      'Its training error hides that: it is lower than with each way to mix.',
      `training error ${list(TRAINED)}`,
      hidden[0]!.map((_, i) => Math.min(...hidden.map((own) => own[i]!))),
      `It is not: ${list(TRAINED)}.`,
    ),
    ...MIXED_NAMES.map((name) => {
      const lower = differences(rows, [LEAKING, POPULATION], [name, POPULATION]);
      return decideByMargin(
        `Mixing repairs it (${name}): on the same class-grouped batches, the error under population statistics is at least ` +
          '2 points lower.',
        `population ${listOf(rows, [LEAKING, name], POPULATION)}`,
        lower.map((by) => by - 0.02),
        `It is ${percent(mean(lower))} lower.`,
      );
    }),
    decideByMargin(
      'With mixed groups nothing is left to read: population statistics are at most 2 points worse than those of training.',
      MIXED_NAMES.map((name, i) => `${name} ${percent(mean(gaps[i]!))}`).join(', '),
      gaps[0]!.map((_, i) => 0.02 - Math.max(...gaps.map((own) => own[i]!))),
      `They are worse by ${MIXED_NAMES.map((name, i) => `${percent(mean(gaps[i]!))} (${name})`).join(', ')}.`,
    ),
  ];
}
