// Sec. 4 of the paper: population statistics in training. FrozenBN for the last part of training lets the weights
// adapt to the statistics of inference.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import { freezeBatchNorm } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { bySeed, errorWith, rowsWith } from '../../rows/rows.ts';
import { seriesTable } from '../../rows/series.ts';
import { percent, percents } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { Training } from '../../training/training.ts';
import {
  forEachSize,
  type NormalizationBatchSettings,
  pointsOf,
  SHARED,
  sizesFigure,
  sizesOf,
} from './by-normalization-batch.ts';

const ENDINGS = ['mini-batch', 'frozen'] as const;

/** The error of one training run. */
export interface Row {
  readonly seed: number;
  /** Samples that are normalized together in training. */
  readonly normalizationBatch: number;
  /** The statistics of the last fifth of training. */
  readonly lastFifth: (typeof ENDINGS)[number];
  /** Share of validation digits misclassified under population statistics, 0 to 1. */
  readonly error: number;
}

/** The population is computed at the moment of freezing; for the runs that do not freeze, at the end. */
interface Settings extends NormalizationBatchSettings {
  /** Steps before freezing. */
  readonly freezeAt: number;
  /**
   * Before freezing, and after. The last epochs are those of a small learning rate: frozen statistics no longer undo
   * what a step does to the scale of activations, so that training on them diverges at rates that BN bears.
   */
  readonly learningRates: readonly [number, number];
  readonly validation: number;
  /** Frozen layers keep training gamma and beta. */
  readonly affine: 'trainable';
}

const FULL: Settings = {
  ...SHARED,
  freezeAt: 96,
  learningRates: [0.5, 0.005],
  validation: 5_000,
  affine: 'trainable',
};

const QUICK: Settings = { ...FULL, seeds: [1], normalizationBatches: [2, 256], steps: 40, freezeAt: 32 };

export const frozenLastEpochs: Experiment<Row, Settings> = {
  name: 'frozen-last-epochs',
  section: '4. Train/test inconsistency: population statistics in training',
  summary: 'validation error with FrozenBN for the last fifth of training against none',
  finding:
    'Training the last epochs on population statistics (FrozenBN, recalibrated by PreciseBN at the moment of ' +
    'freezing) reduces the inconsistency, and helps where the normalization batch is small.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ normalizationBatches, steps, freezeAt }) =>
    normalizationBatches.length * (steps + (steps - freezeAt)),

  async runSeed(seed, settings, context) {
    const { batch, steps, freezeAt, learningRates, affine, population } = settings;
    const train = firstDigits(await loadDigits('train'), settings.training);
    const validation = firstDigits(await loadDigits('t10k'), settings.validation);
    const recalibrated = { seed, batch, ...population, signal: context.signal };
    const rows: Row[] = [];
    await forEachSize(settings, seed, async (model, normalizationBatch) => {
      const run = async (from: number, count: number, ending: Row['lastFifth'], learningRate: number) => {
        const training = new Training(model, train, { seed: from, batch, learningRate });
        const what = `seed ${seed}, normalization batch ${normalizationBatch}, ${ending}`;
        await training.steps(count, context, what).finally(() => training.dispose());
      };
      await run(seed, freezeAt, 'mini-batch', learningRates[0]);
      const weights = model.getWeights().map((weight) => tf.clone(weight));
      for (const lastFifth of ENDINGS) {
        model.setWeights(weights);
        if (lastFifth === 'frozen') {
          await usePopulation(model, train, recalibrated);
          freezeBatchNorm(model, { affine });
        }
        // Both endings see the same batches.
        await run(seed + 100, steps - freezeAt, lastFifth, learningRates[1]);
        if (lastFifth === 'mini-batch') await usePopulation(model, train, recalibrated);
        const error = await errorRate(model, validation, batch);
        rows.push({ seed, normalizationBatch, lastFifth, error });
      }
      tf.dispose(weights);
    });
    return rows;
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'validation error %, normalization batch'),

  figures: (rows) => [sizesFigure(points(rows), 'validation error (%)')],
};

const points = (rows: readonly Row[]) =>
  pointsOf(rows, (row) => (row.lastFifth === 'frozen' ? 'last fifth frozen' : 'not frozen'));

/** The findings of Sec. 4, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const { sizes, smallest, largest, small } = sizesOf(rows);
  const large = sizes.filter((size) => size >= 64);
  const error = (lastFifth: Row['lastFifth'], normalizationBatch: number) =>
    errorWith(rows, { lastFifth, normalizationBatch });
  const gain = (size: number) => error('mini-batch', size) - error('frozen', size);
  const gains = (size: number) =>
    bySeed(rowsWith(rows, { normalizationBatch: size })).map(
      (own) => errorWith(own, { lastFifth: 'mini-batch' }) - errorWith(own, { lastFifth: 'frozen' }),
    );
  const bySize = small.map((size) => `${size}: ${percents(gains(size))}`).join('; ');
  const list = (of: readonly number[]) =>
    of.map((n) => `${n}: ${percent(error('mini-batch', n))} to ${percent(error('frozen', n))}`).join(', ');
  return [
    decide(
      'FrozenBN for the last fifth of training helps where the normalization batch is small (4 at most), in every seed.',
      `validation error, not frozen to frozen, ${list(small)}; gains by seed ${bySize}`,
      small.every((size) => gains(size).every((own) => own > 0)),
      `By seed freezing gains ${bySize}.`,
    ),
    decide(
      'It helps more there than where the normalization batch is large.',
      `gain in validation error ${percent(gain(smallest))} at ${smallest}, ${percent(gain(largest))} at ${largest}`,
      gain(smallest) > gain(largest),
      `At ${largest} freezing gains ${percent(gain(largest))}, at ${smallest} ${percent(gain(smallest))}.`,
    ),
    decide(
      'It does not hurt where the normalization batch is large (64 at least): at most 0.2 percentage points worse.',
      `validation error, not frozen to frozen, ${list(large)}`,
      large.every((size) => gain(size) >= -0.002),
      `Freezing costs ${large.map((size) => percent(-gain(size))).join(' and ')} there.`,
    ),
  ];
}
