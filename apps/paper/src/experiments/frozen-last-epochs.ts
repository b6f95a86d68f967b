// Sec. 4 of the paper: population statistics in training. FrozenBN for the last part of training lets the weights
// adapt to the statistics of inference.

import { firstDigits, loadDigits } from '@rebatch/digits/mnist';
import { freezeBatchNorm } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { decide } from '../claims.ts';
import type { Claim, Experiment } from '../experiment.ts';
import { type Block, buildNetwork, errorRate } from '../network.ts';
import { usePopulation } from '../population.ts';
import {
  NORMALIZATION_BATCH_AXIS,
  type SeriesPoint,
  seriesFigure,
  seriesOf,
  seriesTable,
} from '../series.ts';
import { mean, percent } from '../summary.ts';
import { Training } from '../training.ts';

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

interface Settings {
  readonly seeds: readonly number[];
  readonly normalizationBatches: readonly number[];
  readonly blocks: readonly Block[];
  readonly batch: number;
  readonly steps: number;
  /** Steps before freezing. */
  readonly freezeAt: number;
  /**
   * Before freezing, and after. The last epochs are those of a small learning rate: frozen statistics no longer undo
   * what a step does to the scale of activations, so that training on them diverges at rates that BN bears.
   */
  readonly learningRates: readonly [number, number];
  /** Training digits, of which each epoch is a shuffle. */
  readonly training: number;
  readonly validation: number;
  /** Frozen layers keep training gamma and beta. */
  readonly affine: 'trainable';
  /**
   * At the moment of freezing; for the runs that do not freeze, at the end. Layerwise, because in mode 'batch' the
   * normalization batch would also add its errors to the statistics, which is another finding (precise-batch-size).
   */
  readonly population: { readonly mode: 'layerwise'; readonly samples: number };
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  normalizationBatches: [2, 4, 8, 16, 64, 256],
  blocks: [8, 'pool', 16, 'pool', 32, 'pool', 32, 'pool', 32],
  batch: 256,
  steps: 120,
  freezeAt: 96,
  learningRates: [0.5, 0.005],
  training: 10_240,
  validation: 5_000,
  affine: 'trainable',
  population: { mode: 'layerwise', samples: 2_048 },
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
    for (const normalizationBatch of settings.normalizationBatches) {
      const model = buildNetwork({
        seed,
        momentum: 0,
        blocks: settings.blocks,
        normalizationBatchSize: normalizationBatch,
      });
      const run = async (from: number, to: number, ending: Row['lastFifth'], training: Training) => {
        const what = `seed ${seed}, normalization batch ${normalizationBatch}, ${ending}`;
        for (let step = from; step < to; step++) {
          await training.step(context, what);
        }
      };
      try {
        const first = new Training(model, train, { seed, batch, learningRate: learningRates[0] });
        await run(0, freezeAt, 'mini-batch', first).finally(() => first.dispose());
        const weights = model.getWeights().map((weight) => tf.clone(weight));
        for (const lastFifth of ENDINGS) {
          model.setWeights(weights);
          // Both endings see the same batches.
          const last = new Training(model, train, {
            seed: seed + 100,
            batch,
            learningRate: learningRates[1],
          });
          if (lastFifth === 'frozen') {
            await usePopulation(model, train, recalibrated);
            freezeBatchNorm(model, { affine });
          }
          await run(freezeAt, steps, lastFifth, last).finally(() => last.dispose());
          if (lastFifth === 'mini-batch') await usePopulation(model, train, recalibrated);
          const error = await errorRate(model, validation, batch);
          rows.push({ seed, normalizationBatch, lastFifth, error });
        }
        tf.dispose(weights);
      } finally {
        model.dispose();
      }
    }
    return rows;
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'validation error %, normalization batch'),

  figures: (rows) => [
    seriesFigure(points(rows), {
      x: NORMALIZATION_BATCH_AXIS,
      y: { type: 'log', label: 'validation error (%)' },
    }),
  ],
};

function points(rows: readonly Row[]): SeriesPoint[] {
  return seriesOf(rows, {
    series: (row) => (row.lastFifth === 'frozen' ? 'last fifth frozen' : 'not frozen'),
    x: (row) => row.normalizationBatch,
    value: (row) => row.error,
  });
}

/** The findings of Sec. 4, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const sizes = [...new Set(rows.map((row) => row.normalizationBatch))].sort((a, b) => a - b);
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!];
  const small = sizes.filter((size) => size <= 4);
  const large = sizes.filter((size) => size >= 64);
  const error = (ending: Row['lastFifth'], size: number) =>
    mean(rows.filter((r) => r.lastFifth === ending && r.normalizationBatch === size).map((r) => r.error));
  const gain = (size: number) => error('mini-batch', size) - error('frozen', size);
  const seeds = [...new Set(rows.map((row) => row.seed))];
  const gains = (size: number) =>
    seeds.map((seed) => {
      const own = rows.filter((row) => row.seed === seed && row.normalizationBatch === size);
      const [without, frozen] = ENDINGS.map((ending) => own.find((row) => row.lastFifth === ending)!.error);
      return without! - frozen!;
    });
  const bySeed = small
    .map((size) =>
      [
        `${size}:`,
        gains(size)
          .map((own) => percent(own))
          .join(', '),
      ].join(' '),
    )
    .join('; ');
  const list = (of: readonly number[]) =>
    of.map((n) => `${n}: ${percent(error('mini-batch', n))} to ${percent(error('frozen', n))}`).join(', ');
  return [
    decide(
      'FrozenBN for the last fifth of training helps where the normalization batch is small (4 at most), in every seed.',
      `validation error, not frozen to frozen, ${list(small)}; gains by seed ${bySeed}`,
      small.every((size) => gains(size).every((own) => own > 0)),
      `By seed freezing gains ${bySeed}.`,
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
