// Sec. 4 of the paper on photographs: the fewer samples are normalized together in training, the more training and
// inference differ; with a network that generalizes, and with one that knows its few training photographs by heart.

import type { LabeledImages } from '@rebatch/images';
import type { Experiment, SeedSettings } from '../../../experiment.ts';
import { first } from '../../../photographs/clean-experiment.ts';
import { loadPhotographs, preparePhotographs, TRAINING } from '../../../photographs/data.ts';
import {
  stepsOf,
  type TrainingSettings,
  trainOnPhotographs,
} from '../../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../../photographs/short-training.ts';
import { percentInterval } from '../../../rows/interval.ts';
import { rowsWith, unique } from '../../../rows/rows.ts';
import { seriesTable } from '../../../rows/series.ts';
import { errorRate } from '../../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../../training/population.ts';
import { pointsOf, SIZES, sizesFigure } from '../by-normalization-batch.ts';
import { claims, MEASURES, type Row } from './claims.ts';

/** So many training photographs, as often as this. */
interface Regime {
  readonly name: Row['regime'];
  readonly photographs: number;
  readonly training: TrainingSettings;
}

interface Settings extends SeedSettings {
  readonly normalizationBatches: readonly number[];
  readonly regimes: readonly Regime[];
  /** Photographs per error. A multiple of the batch, so that every normalization batch is full. */
  readonly evaluation: number;
  readonly population: LayerwisePopulation;
}

const BATCH = 256;

const FULL: Settings = {
  seeds: [1, 2, 3, 4, 5],
  normalizationBatches: SIZES,
  regimes: [
    {
      name: 'all photographs',
      photographs: TRAINING,
      training: { ...SHORT, batch: BATCH, epochs: 2 },
    },
    {
      // As many steps, on few photographs as they are: they are learned by heart.
      name: 'few photographs',
      photographs: 2_560,
      training: {
        ...SHORT,
        batch: BATCH,
        epochs: 36,
        weightDecay: 0,
        augmentation: { shift: 0, mirror: false },
      },
    },
  ],
  evaluation: 2_560,
  population: { mode: 'layerwise', samples: 2_048 },
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  normalizationBatches: [2, 256],
  regimes: FULL.regimes.map((regime) => ({
    ...regime,
    photographs: QUICK_PHOTOGRAPHS,
    training: { ...regime.training, epochs: 2 },
  })),
  evaluation: 512,
  population: { mode: 'layerwise', samples: 512 },
};

export const cifar10NbsSweep: Experiment<Row, Settings> = {
  name: 'cifar10-nbs-sweep',
  section: '4. CIFAR-10: the normalization batch size',
  summary:
    'three errors against the samples that are normalized together, at one SGD batch size, after training on all ' +
    'photographs and on few that are learned by heart',
  finding:
    'The smaller the normalization batch, the larger the gap between mini-batch and population statistics, and so ' +
    'between training and inference; there mini-batch statistics at inference can be better.',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ regimes, normalizationBatches }) =>
    normalizationBatches.length *
    regimes.reduce((sum, { training, photographs }) => sum + stepsOf(training, photographs), 0),

  async runSeed(seed, settings, context) {
    const photographs = await loadPhotographs(context.signal);
    const validation = first(photographs.validation, settings.evaluation);
    const rows: Row[] = [];
    for (const { name: regime, photographs: count, training } of settings.regimes) {
      const seen = first(photographs.training, count);
      for (const normalizationBatch of settings.normalizationBatches) {
        const what = `seed ${seed}, ${regime}, normalization batch ${normalizationBatch}`;
        const model = buildResidualNetwork({
          ...{ seed, momentum: 0, normalizationBatchSize: normalizationBatch },
        });
        const add = async (measure: Row['measure'], images: LabeledImages) => {
          const statistics = measure.endsWith('population') ? 'population' : 'batch';
          const error = await errorRate(model, images, BATCH, statistics);
          rows.push({ seed, regime, normalizationBatch, measure, error });
        };
        try {
          await trainOnPhotographs(model, seen, seed, training, context, what);
          await add(MEASURES[0], first(seen, settings.evaluation));
          await add(MEASURES[1], validation);
          const { population } = settings;
          await usePopulation(model, seen, { seed, batch: BATCH, ...population, signal: context.signal });
          await add(MEASURES[2], validation);
        } finally {
          model.dispose();
        }
      }
    }
    return rows;
  },

  claims,

  table: ({ rows }) => {
    const tables = unique(rows.map(({ regime }) => regime)).map((regime) =>
      seriesTable(points(rowsWith(rows, { regime })), regime, percentInterval),
    );
    return {
      head: ['error %', 'normalization batch', ...tables[0]!.head.slice(1)],
      body: tables.flatMap(({ head, body }) => body.map((line) => [head[0]!, ...line])),
    };
  },

  figures: (rows) =>
    unique(rows.map(({ regime }) => regime)).map((regime) => ({
      ...sizesFigure(points(rowsWith(rows, { regime })), 'error (%)'),
      title: regime,
    })),
};

const points = (rows: readonly Row[]) => pointsOf(rows, (row) => row.measure);
