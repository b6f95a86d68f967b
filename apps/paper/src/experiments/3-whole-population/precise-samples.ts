// Sec. 3 of the paper: how many samples does PreciseBN need?

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { Experiment, SeedSettings } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { ascending, errorWith, unique } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesOf, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { type Block, buildNetwork, errorRate, FIVE_LAYERS } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { Training } from '../../training/training.ts';

/** The validation error under statistics of so many samples. */
export interface Row {
  readonly seed: number;
  /** SGD steps taken. */
  readonly step: number;
  readonly samples: number;
  /** Which random draw of the samples. */
  readonly draw: number;
  /** Share of validation digits that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends SeedSettings {
  readonly blocks: readonly Block[];
  readonly batch: number;
  readonly learningRate: number;
  /** Points of training: early, and at the end. */
  readonly steps: readonly number[];
  readonly samples: readonly number[];
  /** Independent draws of each number of samples. */
  readonly draws: number;
  readonly validation: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  blocks: FIVE_LAYERS,
  batch: 256,
  learningRate: 0.5,
  steps: [30, 120],
  samples: [10, 32, 100, 316, 1_000, 3_162, 10_000],
  draws: 4,
  validation: 5_000,
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  steps: [30],
  samples: [10, 100, 1_000, 10_000],
  draws: 2,
  validation: 2_000,
};

export const preciseSamples: Experiment<Row, Settings> = {
  name: 'precise-samples',
  section: '3. Whole population as a batch: how many samples PreciseBN needs',
  summary: 'validation error against the number of samples of the statistics, 10 to 10^4',
  finding: 'PreciseBN is near optimal from 10^3 to 10^4 samples.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ steps, samples, draws }) => steps.at(-1)! + steps.length * samples.length * draws,

  async runSeed(seed, settings, context) {
    const { batch, learningRate, steps, samples, draws } = settings;
    const train = await loadDigits('train');
    const validation = firstDigits(await loadDigits('t10k'), settings.validation);
    const model = buildNetwork({ seed, momentum: 0, blocks: settings.blocks });
    const training = new Training(model, train, { seed, batch, learningRate });
    const rows: Row[] = [];
    try {
      for (let step = 1; step <= steps.at(-1)!; step++) {
        await training.step(context, `seed ${seed}, training`);
        if (!steps.includes(step)) continue;
        // What follows only moves the layers' moving statistics, which training does not read.
        for (const count of samples) {
          for (let draw = 0; draw < draws; draw++) {
            const drawn = { seed: 1000 * seed + draw, samples: count, batch, mode: 'batch' } as const;
            await usePopulation(model, train, { ...drawn, signal: context.signal });
            rows.push({
              seed,
              step,
              samples: count,
              draw,
              error: await errorRate(model, validation, batch),
            });
            context.advance(`seed ${seed}, step ${step}, ${count} samples`);
          }
        }
      }
      return rows;
    } finally {
      training.dispose();
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'validation error %, samples'),

  figures: (rows) => [
    seriesFigure(points(rows), {
      x: { type: 'log', label: 'samples', ticks: [10, 100, 1_000, 10_000], tickFormat: ',d' },
      y: { type: 'log', label: 'validation error (%)' },
    }),
  ],
};

/** One value per seed: the average over its draws. */
function points(rows: readonly Row[]): SeriesPoint[] {
  const draws = seriesOf(rows, {
    series: (row) => JSON.stringify([row.step, row.seed]),
    x: (row) => row.samples,
    value: (row) => row.error,
  });
  return seriesOf(draws, {
    series: ({ series }) => `after ${JSON.parse(series)[0]} steps`,
    x: ({ x }) => x,
    value: ({ values }) => mean(values),
  });
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const steps = unique(rows.map((row) => row.step));
  const counts = ascending(rows.map((row) => row.samples));
  const [fewest, most] = [counts[0]!, counts.at(-1)!];
  const enough = counts.filter((count) => count >= 1_000);
  const error = (step: number, samples: number) => errorWith(rows, { step, samples });
  const list = (of: readonly number[]) =>
    steps
      .map((step) => `after ${step} steps ${of.map((n) => `${n}: ${percent(error(step, n))}`).join(', ')}`)
      .join('; ');
  const excess = (step: number, samples: number) => error(step, samples) - error(step, most);
  return [
    decide(
      `10^3 samples are near optimal: from there on within 0.2 percentage points of ${most}, at each point of training.`,
      list(enough),
      steps.every((step) => enough.every((count) => Math.abs(excess(step, count)) <= 0.002)),
      `After ${steps.join(' and ')} steps, 10^3 samples are ${steps
        .map((step) => percent(excess(step, 1_000)))
        .join(' and ')} away.`,
    ),
    decide(
      `Few samples are not enough: ${fewest} are more than 0.2 percentage points worse, at each point of training.`,
      list([fewest, most]),
      steps.every((step) => excess(step, fewest) > 0.002),
      `${fewest} samples, each with many positions, already tell enough: ${steps
        .map((step) => percent(excess(step, fewest)))
        .join(' and ')} worse after ${steps.join(' and ')} steps.`,
    ),
  ];
}
