// Fine-tuning on few photographs of new classes, in so few steps that an EMA still has the statistics that it started from.

import type { Claim } from '@rebatch/findings';
import { ranges } from '@rebatch/images';
import { freezeBatchNorm } from '@rebatch/layers';
import { recalibrate } from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Experiment, SeedContext, SeedSettings } from '../../../experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../../photographs/data.ts';
import {
  stepsOf,
  type TrainingSettings,
  trainOnPhotographs,
} from '../../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../../photographs/short-training.ts';
import {
  type ConditionRow,
  conditionFigure,
  conditionTable,
  differences,
  meanOf,
} from '../../../rows/conditions.ts';
import { decideByMargin, percentInterval } from '../../../rows/interval.ts';
import { ascending, unique } from '../../../rows/rows.ts';
import { mean, percent } from '../../../rows/summary.ts';
import { ImageBatches } from '../../../training/image-batches.ts';
import { errorRate } from '../../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../../training/population.ts';
import { CLASSES, type Task, type TaskSettings, taskOf } from './task.ts';

const [AS_TRAINED, RECALIBRATED] = ['as trained', 'recalibrated'] as const;
const FROZEN = 'frozen';
const emaName = (momentum: number) => `EMA ${momentum}`;

/** A share of the test photographs of the new classes that are misclassified, 0 to 1. */
export interface Row extends ConditionRow {
  readonly measure: typeof AS_TRAINED | typeof RECALIBRATED;
}

interface Settings extends SeedSettings, TaskSettings {
  /** Training on the old classes, which ends on statistics that describe them. */
  readonly pretraining: TrainingSettings & { readonly population: LayerwisePopulation };
  /** Of all weights on the new classes, behind a new head; frozen layers bear a tenth of the rate only. */
  readonly tuning: TrainingSettings;
  readonly frozenPeak: number;
  /** Gamma and beta of frozen layers. */
  readonly affine: 'fixed';
  readonly momentums: readonly number[];
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  images: 240,
  pretrainingImages: TRAINING / 2,
  pretraining: { ...SHORT, epochs: 4, population: { mode: 'layerwise', samples: 2_048 } },
  tuning: { ...SHORT, epochs: 10, batch: 16, peak: 0.05 },
  frozenPeak: 0.005,
  affine: 'fixed',
  momentums: [0.9, 0.99, 0.999],
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  pretrainingImages: QUICK_PHOTOGRAPHS,
  pretraining: { ...FULL.pretraining, population: { mode: 'layerwise', samples: 512 } },
};

export const cifar10FineTuning: Experiment<Row, Settings> = {
  name: 'cifar10-fine-tuning',
  section: '3. CIFAR-10: fine-tuning',
  summary:
    'test error of a network after fine-tuning on 240 photographs of new classes, with an EMA of some momentum and frozen, ' +
    'as trained and recalibrated',
  finding:
    'An EMA with a large lambda is outdated: it mixes the statistics of networks of many steps ago. PreciseBN takes them ' +
    'from the weights as they are. (Fine-tuning itself is not in the paper.)',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ pretraining, pretrainingImages, tuning, images, momentums }) =>
    stepsOf(pretraining, pretrainingImages) + (momentums.length + 1) * stepsOf(tuning, images),

  async runSeed(seed, settings, context) {
    const task = taskOf(await loadPhotographs(context.signal), seed, settings);
    const backbone = await pretrain(task, seed, settings, context);
    const rows: Row[] = [];
    try {
      for (const momentum of [...settings.momentums, null]) {
        rows.push(...(await fineTune(backbone, task, momentum, seed, settings, context)));
      }
      return rows;
    } finally {
      backbone.dispose();
    }
  },

  claims,

  table: ({ rows }) => conditionTable(rows, 'test error %', percentInterval),

  figures: (rows) => [conditionFigure(rows, { label: 'test error (%)' })],
};

/** A network that knows the old classes, on their statistics. */
async function pretrain(
  { pretraining: images }: Task,
  seed: number,
  { pretraining }: Settings,
  context: SeedContext,
): Promise<tfl.LayersModel> {
  const model = buildResidualNetwork({ seed, classes: CLASSES });
  try {
    await trainOnPhotographs(model, images, seed, pretraining, context, `seed ${seed}, pretraining`);
    const { population } = pretraining;
    await usePopulation(model, images, { seed, batch: 256, ...population, signal: context.signal });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The test errors of a copy of the backbone: fine-tuned with an EMA of this momentum, or (null) frozen. */
async function fineTune(
  backbone: tfl.LayersModel,
  { tuning: images, test }: Task,
  momentum: number | null,
  seed: number,
  { tuning, frozenPeak, affine }: Settings,
  context: SeedContext,
): Promise<Row[]> {
  const condition = momentum === null ? FROZEN : emaName(momentum);
  const model = buildResidualNetwork({ seed: seed + 100, momentum: momentum ?? 0, classes: CLASSES });
  try {
    model.layers.slice(0, -1).forEach((layer, i) => {
      layer.setWeights(backbone.layers[i]!.getWeights());
    });
    if (momentum === null) freezeBatchNorm(model, { affine });
    const settings = momentum === null ? { ...tuning, peak: frozenPeak } : tuning;
    await trainOnPhotographs(model, images, seed, settings, context, `seed ${seed}, ${condition}`);
    const measure = async (name: Row['measure']): Promise<Row> => {
      const value = await errorRate(model, test, 250);
      return { seed, condition, measure: name, value };
    };
    const asTrained = await measure(AS_TRAINED);
    const [all = []] = ranges(images.size, images.size);
    await recalibrate(model, new ImageBatches(images, all, images.size), { signal: context.signal });
    return [asTrained, await measure(RECALIBRATED)];
  } finally {
    model.dispose();
  }
}

/** What the rows say, decided by them. */
function claims(rows: readonly Row[]): Claim[] {
  const emas = unique(rows.map(({ condition }) => condition)).filter((name) => name !== FROZEN);
  const momentums = ascending(emas.map((name) => Number(name.slice('EMA '.length))));
  const [shortest, longest] = [momentums[0]!, momentums.at(-1)!].map(emaName) as [string, string];
  const both = (condition: string) =>
    `${condition}: ${percent(meanOf(rows, condition, AS_TRAINED))} as trained, ` +
    `${percent(meanOf(rows, condition, RECALIBRATED))} recalibrated`;
  /** What the statistics that training left cost, by seed. */
  const cost = (condition: string) => differences(rows, [condition, AS_TRAINED], [condition, RECALIBRATED]);
  const list = [...emas, FROZEN].map(both).join('; ');
  const better = (a: readonly [string, Row['measure']], b: readonly [string, Row['measure']]) =>
    differences(rows, b, a);
  return [
    decideByMargin(
      `With ${longest} the statistics are outdated: the same weights, recalibrated, are better by at least 2 points.`,
      list,
      cost(longest).map((by) => by - 0.02),
      `They are ${percent(mean(cost(longest)))} better.`,
    ),
    decideByMargin(
      `With ${shortest} the EMA keeps up: as trained it is within a point of recalibrated.`,
      both(shortest),
      cost(shortest).map((by) => 0.01 - Math.abs(by)),
      `Recalibration gains ${percent(mean(cost(shortest)))}.`,
    ),
    decideByMargin(
      `Frozen BN is better than ${longest} as trained: it has nothing to keep up.`,
      `${both(FROZEN)}; ${both(longest)}`,
      better([FROZEN, AS_TRAINED], [longest, AS_TRAINED]),
      `It is ${percent(-mean(better([FROZEN, AS_TRAINED], [longest, AS_TRAINED])))} worse.`,
    ),
    decideByMargin(
      'What was trained frozen must stay on its statistics: recalibrated, it is worse.',
      both(FROZEN),
      cost(FROZEN).map((by) => -by),
      `It is ${percent(mean(cost(FROZEN)))} better.`,
    ),
  ];
}
