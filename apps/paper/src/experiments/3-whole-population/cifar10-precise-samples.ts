// Sec. 3 of the paper on photographs: how many samples do the population statistics of a trained network need?

import type { Claim } from '@rebatch/findings';
import type { Experiment } from '../../experiment.ts';
import {
  CLEAN_NETWORK,
  type CleanExperimentSettings,
  FULL_CLEAN,
  first,
  QUICK_CLEAN,
  withoutSteps,
} from '../../photographs/clean-experiment.ts';
import { cleanNetwork } from '../../photographs/clean-network.ts';
import { loadPhotographs, preparePhotographs } from '../../photographs/data.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { ascending, bySeed, errorWith } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesOf, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';

/** The test error under statistics of so many samples. */
export interface Row {
  readonly seed: number;
  /** Training photographs, as they are. */
  readonly samples: number;
  /** Which random draw of them. */
  readonly draw: number;
  /** Share of the test photographs that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends CleanExperimentSettings {
  readonly samples: readonly number[];
  /** Independent draws of each number of samples. */
  readonly draws: number;
  /** Photographs per batch of the statistics, as in training. */
  readonly batch: number;
}

const FULL: Settings = {
  ...FULL_CLEAN,
  test: 2_000,
  samples: [10, 32, 100, 316, 1_000, 3_162, 10_000],
  draws: 4,
  batch: 128,
};

const QUICK: Settings = { ...FULL, ...QUICK_CLEAN, samples: [10, 100, 1_000], draws: 2 };

export const cifar10PreciseSamples: Experiment<Row, Settings> = {
  name: 'cifar10-precise-samples',
  section: '3. CIFAR-10: how many samples PreciseBN needs',
  summary: 'test error of a trained network against the number of samples of its statistics, 10 to 10^4',
  finding: 'PreciseBN is near optimal from 10^3 to 10^4 samples.',
  needs: CLEAN_NETWORK,

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ samples, draws }) => samples.length * draws,

  async runSeed(seed, settings, context) {
    const { batch, samples, draws } = settings;
    const { signal, advance } = context;
    const photographs = await loadPhotographs(signal);
    const test = first(photographs.test, settings.test);
    const { model } = await cleanNetwork(seed, settings.clean, photographs, withoutSteps(context));
    const rows: Row[] = [];
    try {
      for (const count of samples) {
        for (let draw = 0; draw < draws; draw++) {
          const drawn = { seed: 1000 * seed + draw, samples: count, batch, mode: 'batch' } as const;
          await usePopulation(model, photographs.training, { ...drawn, signal });
          rows.push({ seed, samples: count, draw, error: await errorRate(model, test, 250) });
          advance(`seed ${seed}, ${count} samples`);
        }
      }
      return rows;
    } finally {
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'test error %, samples', percentInterval),

  figures: (rows) => [
    seriesFigure(points(rows), {
      x: { type: 'log', label: 'samples', ticks: [10, 100, 1_000, 10_000], tickFormat: ',d' },
      y: { type: 'log', label: 'test error (%)' },
    }),
  ],
};

/** One value per seed: the average over its draws. */
function points(rows: readonly Row[]): SeriesPoint[] {
  const draws = seriesOf(rows, {
    series: ({ seed }) => String(seed),
    x: ({ samples }) => samples,
    value: ({ error }) => error,
  });
  return seriesOf(draws, { series: () => 'PreciseBN', x: ({ x }) => x, value: ({ values }) => mean(values) });
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const counts = ascending(rows.map((row) => row.samples));
  const [fewest, most] = [counts[0]!, counts.at(-1)!];
  const enough = counts.filter((count) => count >= 1_000);
  const list = counts.map((count) => `${count}: ${percent(errorWith(rows, { samples: count }))}`).join(', ');
  const excess = (samples: number) =>
    bySeed(rows).map((own) => errorWith(own, { samples }) - errorWith(own, { samples: most }));
  const largest = bySeed(rows).map((_, i) => Math.max(...enough.map((count) => excess(count)[i]!)));
  return [
    decideByMargin(
      `10^3 samples are near optimal: from there on at most 0.2 percentage points worse than ${most}.`,
      list,
      largest.map((value) => 0.002 - value),
      `By seed they are up to ${largest.map((value) => percent(value)).join(', ')} worse.`,
    ),
    decideByMargin(
      `Few samples are not enough: ${fewest} are more than 0.2 percentage points worse.`,
      list,
      excess(fewest).map((value) => value - 0.002),
      `They are ${percent(mean(excess(fewest)))} worse.`,
    ),
  ];
}
