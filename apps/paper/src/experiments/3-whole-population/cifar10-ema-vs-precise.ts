// Sec. 3 of the paper on photographs: in mid-training with a large batch, is the population better estimated by the EMA that
// training keeps, or by freezing the weights and measuring (PreciseBN)?

import type { Claim } from '@rebatch/findings';
import { applyStatistics, captureStatistics } from '@rebatch/recalibrate';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import { first } from '../../photographs/clean-experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import { PhotographTraining, stepsOf, type TrainingSettings } from '../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../photographs/short-training.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { bySeed, errorWith, rowsWith, unique } from '../../rows/rows.ts';
import { seriesFigure, seriesOf, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { trackEma } from './ema-tracker.ts';

/** The validation error at one point of one training, under one way to compute the statistics. */
export interface Row {
  readonly seed: number;
  /** SGD steps taken. */
  readonly step: number;
  readonly method: string;
  /** Share of validation photographs that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends SeedSettings {
  readonly training: TrainingSettings;
  /** Training photographs. */
  readonly photographs: number;
  /** Shares of the training after which the errors are measured. */
  readonly points: readonly number[];
  readonly decays: readonly number[];
  readonly samples: readonly number[];
  readonly layerwiseSamples: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  // The paper: above all with large training batches.
  training: { ...SHORT, batch: 512, epochs: 4 },
  photographs: TRAINING,
  points: [0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1],
  decays: [0.9, 0.99],
  samples: [100, 1_000, 5_000],
  layerwiseSamples: 1_000,
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  photographs: 2 * QUICK_PHOTOGRAPHS,
  points: [0.5, 1],
  samples: [100, 1_000],
};

const LAYERWISE = 'layerwise';
const MINI_BATCH = 'mini-batch';
const emaName = (decay: number) => `EMA ${decay}`;
const preciseName = (samples: number) => `PreciseBN, ${samples} samples`;

export const cifar10EmaVsPrecise: Experiment<Row, Settings> = {
  name: 'cifar10-ema-vs-precise',
  section: '3. CIFAR-10: EMA against PreciseBN',
  summary: 'validation error during training under EMA, PreciseBN, layerwise and mini-batch statistics',
  finding:
    'PreciseBN is better and more stable than EMA in mid-training, where EMA’s validation error swings wildly; ' +
    '10^3 to 10^4 samples are near optimal.',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: (settings) => stepsOf(settings.training, settings.photographs) + settings.points.length,

  async runSeed(seed, settings, { signal, advance }) {
    const { training: everything, validation } = await loadPhotographs(signal);
    const images = first(everything, settings.photographs);
    const model = buildResidualNetwork({ seed, momentum: 0 });
    const training = new PhotographTraining(model, images, seed, settings.training);
    const emas = trackEma(model, settings.decays);
    const points = settings.points.map((share) => Math.round(share * training.steps));
    const rows: Row[] = [];
    const measure = async (method: string, statistics: 'population' | 'batch' = 'population') => {
      const error = await errorRate(model, validation, 250, statistics);
      rows.push({ seed, step: training.step, method, error });
    };
    try {
      while (training.step < training.steps) {
        await training.next(signal);
        await emas.update(settings.training.batch);
        advance(`seed ${seed}, training`);
        if (!points.includes(training.step)) continue;
        const before = await captureStatistics(model);
        for (const decay of settings.decays) {
          applyStatistics(model, emas.statistics(decay));
          await measure(emaName(decay));
        }
        for (const samples of settings.samples) {
          await usePopulation(model, images, { seed, samples, batch: 250, mode: 'batch', signal });
          await measure(preciseName(samples));
        }
        const { layerwiseSamples: samples } = settings;
        await usePopulation(model, images, { seed, samples, batch: 250, mode: 'layerwise', signal });
        await measure(LAYERWISE);
        await measure(MINI_BATCH, 'batch');
        applyStatistics(model, before);
        advance(`seed ${seed}, measuring`);
      }
      return rows;
    } finally {
      training.dispose();
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => seriesTable(pointsOf(rows), 'error %, after step', percentInterval),

  figures: (rows) => [
    seriesFigure(pointsOf(rows), {
      x: { type: 'log', label: 'SGD steps', ticks: unique(rows.map(({ step }) => step)), tickFormat: 'd' },
      y: { type: 'log', label: 'validation error (%)' },
      // Seven series with a bar at each point would hide each other.
      spread: false,
      marginRight: 170,
    }),
  ],
};

function pointsOf(rows: readonly Row[]) {
  return seriesOf(rows, { series: (row) => row.method, x: (row) => row.step, value: (row) => row.error });
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const methods = unique(rows.map(({ method }) => method));
  const emas = methods.filter((method) => method.startsWith('EMA'));
  const precise = methods.filter((method) => method.startsWith('PreciseBN'));
  const best = precise.at(-1)!;
  /** Averaged over the points of training, one value per seed. */
  const average = (method: string) => bySeed(rowsWith(rows, { method })).map((own) => errorWith(own, {}));
  /** How far the error moves from one point to the next, one value per seed. */
  const swing = (method: string) =>
    bySeed(rowsWith(rows, { method })).map((path) =>
      mean(path.slice(1).map(({ error }, i) => Math.abs(error - path[i]!.error))),
    );
  const list = (of: readonly string[], value: (method: string) => number[]) =>
    of.map((method) => `${method} ${percent(mean(value(method)))}`).join(', ');
  const least = (value: (method: string) => number[]) =>
    value(best).map((own, i) => Math.min(...emas.map((ema) => value(ema)[i]!)) - own);
  const apart = (a: string, b: string) => average(a).map((own, i) => Math.abs(own - average(b)[i]!));
  const thousand = precise.find((method) => method.includes(' 1000 ')) ?? best;
  return [
    decideByMargin(
      'PreciseBN is better than EMA: its error, averaged over the points of training, is below that of every decay.',
      list([best, ...emas], average),
      least(average),
      `An EMA kept up with the weights: ${list([best, ...emas], average)}.`,
    ),
    decideByMargin(
      'PreciseBN is more stable than EMA: its error moves less from one point of training to the next.',
      list([best, ...emas], swing),
      least(swing),
      `It moves as much: ${list([best, ...emas], swing)}.`,
    ),
    decideByMargin(
      '10^3 samples are near optimal: on average within half a point of the most.',
      list(precise, average),
      apart(thousand, best).map((by) => 0.005 - by),
      `They are ${percent(mean(apart(thousand, best)))} away.`,
    ),
    decideByMargin(
      'Layerwise and PreciseBN agree where the batches are large: on average within half a point.',
      list([LAYERWISE, best], average),
      apart(LAYERWISE, best).map((by) => 0.005 - by),
      `They are ${percent(mean(apart(LAYERWISE, best)))} apart.`,
    ),
  ];
}
