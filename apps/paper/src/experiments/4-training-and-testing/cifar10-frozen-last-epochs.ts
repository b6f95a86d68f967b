// Sec. 4 of the paper on photographs: population statistics (FrozenBN) in the last fifth of training.

import type { Claim } from '@rebatch/findings';
import { freezeBatchNorm } from '@rebatch/layers';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import { first } from '../../photographs/clean-experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import { PhotographTraining, stepsOf, type TrainingSettings } from '../../photographs/photograph-training.ts';
import { stepsOfCycle } from '../../photographs/rate.ts';
import { buildResidualNetwork } from '../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../photographs/short-training.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { bySeed, errorWith, rowsWith } from '../../rows/rows.ts';
import { seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../training/population.ts';
import { pointsOf, sizesFigure, sizesOf } from './by-normalization-batch.ts';

const ENDINGS = ['mini-batch', 'frozen'] as const;

/** The error of one training. */
export interface Row {
  readonly seed: number;
  /** Samples that are normalized together in training. */
  readonly normalizationBatch: number;
  /** The statistics of the last fifth of training. */
  readonly lastFifth: (typeof ENDINGS)[number];
  /** Share of validation photographs misclassified under population statistics, 0 to 1. */
  readonly error: number;
}

interface Settings extends SeedSettings {
  readonly normalizationBatches: readonly number[];
  /**
   * Frozen after the cycle, for the last fifth. The rate is small then: frozen statistics no longer undo what a step does
   * to the scale of activations, so that training on them diverges at rates that BN bears.
   */
  readonly training: TrainingSettings & Required<Pick<TrainingSettings, 'afterwards'>>;
  /** Training photographs. */
  readonly photographs: number;
  /** Frozen layers keep training gamma and beta. */
  readonly affine: 'trainable';
  /** Computed at the moment of freezing; for the trainings that do not freeze, at the end. */
  readonly population: LayerwisePopulation;
}

const FULL: Settings = {
  seeds: [1, 2, 3, 4, 5],
  normalizationBatches: [2, 4, 16, 128],
  training: { ...SHORT, afterwards: { share: 1 / 5, rate: SHORT.peak / 100 } },
  photographs: TRAINING,
  affine: 'trainable',
  population: { mode: 'layerwise', samples: 2_048 },
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  normalizationBatches: [2, 128],
  photographs: QUICK_PHOTOGRAPHS,
  population: { mode: 'layerwise', samples: 512 },
};

export const cifar10FrozenLastEpochs: Experiment<Row, Settings> = {
  name: 'cifar10-frozen-last-epochs',
  section: '4. CIFAR-10: population statistics in training',
  summary: 'validation error with FrozenBN for the last fifth of training against none',
  finding:
    'Training the last epochs on population statistics (FrozenBN, recalibrated by PreciseBN at the moment of ' +
    'freezing) reduces the inconsistency, and helps where the normalization batch is small.',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ normalizationBatches, ...rest }) => {
    const { all, before } = stepsBy(rest);
    return normalizationBatches.length * (before + ENDINGS.length * (all - before));
  },

  async runSeed(seed, settings, { signal, advance }) {
    const { training: trained, affine, population } = settings;
    const { training: everything, validation } = await loadPhotographs(signal);
    const images = first(everything, settings.photographs);
    const { all, before } = stepsBy(settings);
    const rows: Row[] = [];
    for (const normalizationBatch of settings.normalizationBatches) {
      const model = buildResidualNetwork({ seed, momentum: 0, normalizationBatchSize: normalizationBatch });
      const training = new PhotographTraining(model, images, seed, trained);
      const until = async (step: number, ending: Row['lastFifth']) => {
        while (training.step < step) {
          await training.next(signal);
          advance(`seed ${seed}, normalization batch ${normalizationBatch}, ${ending}`);
        }
      };
      const usePrecise = () =>
        usePopulation(model, images, { seed, batch: trained.batch, ...population, signal });
      try {
        await until(before, 'mini-batch');
        // Both endings go on from here, on the same batches.
        const middle = await training.state();
        for (const lastFifth of ENDINGS) {
          training.resume(middle);
          if (lastFifth === 'frozen') {
            await usePrecise();
            freezeBatchNorm(model, { affine });
          }
          await until(all, lastFifth);
          if (lastFifth === 'mini-batch') await usePrecise();
          rows.push({ seed, normalizationBatch, lastFifth, error: await errorRate(model, validation, 250) });
        }
      } finally {
        training.dispose();
        model.dispose();
      }
    }
    return rows;
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'validation error %, normalization batch', percentInterval),

  figures: (rows) => [sizesFigure(points(rows), 'validation error (%)')],
};

function stepsBy({ training, photographs }: Pick<Settings, 'training' | 'photographs'>) {
  const all = stepsOf(training, photographs);
  return { all, before: stepsOfCycle(training, all) };
}

const points = (rows: readonly Row[]) =>
  pointsOf(rows, (row) => (row.lastFifth === 'frozen' ? 'last fifth frozen' : 'not frozen'));

/** The findings of Sec. 4, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const { sizes, smallest, largest } = sizesOf(rows);
  const gain = (size: number) =>
    bySeed(rowsWith(rows, { normalizationBatch: size })).map(
      (own) => errorWith(own, { lastFifth: 'mini-batch' }) - errorWith(own, { lastFifth: 'frozen' }),
    );
  const list = sizes
    .map((size) => {
      const error = (lastFifth: Row['lastFifth']) =>
        percent(errorWith(rows, { lastFifth, normalizationBatch: size }));
      return `${size}: ${error('mini-batch')} to ${error('frozen')}`;
    })
    .join(', ');
  const measured = `validation error, not frozen to frozen, ${list}`;
  const [small, large] = [gain(smallest), gain(largest)];
  return [
    decideByMargin(
      `FrozenBN for the last fifth of training helps where the normalization batch is small (${smallest}).`,
      measured,
      small,
      `There it costs ${percent(-mean(small))}.`,
    ),
    decideByMargin(
      `It helps more there than where the normalization batch is large (${largest}).`,
      measured,
      small.map((own, i) => own - large[i]!),
      `It gains ${percent(mean(small))} at ${smallest} and ${percent(mean(large))} at ${largest}.`,
    ),
    decideByMargin(
      `It does not hurt where the normalization batch is large: at most a point worse at ${largest}.`,
      measured,
      large.map((own) => own + 0.01),
      `It costs ${percent(-mean(large))} there.`,
    ),
  ];
}
