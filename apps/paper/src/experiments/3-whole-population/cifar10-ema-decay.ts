// Sec. 3 of the paper on photographs: the EMA's lambda, outdated where it is large and the weights move fast, forgetful where
// it is small and they hardly move.

import type { Claim } from '@rebatch/findings';
import { applyStatistics } from '@rebatch/recalibrate';
import type { Experiment, SeedContext, SeedSettings } from '../../experiment.ts';
import { first } from '../../photographs/clean-experiment.ts';
import { loadPhotographs, type Photographs, preparePhotographs, TRAINING } from '../../photographs/data.ts';
import {
  PhotographTraining,
  stepsOf,
  type TrainingSettings,
  type TrainingState,
} from '../../photographs/photograph-training.ts';
import { buildResidualNetwork } from '../../photographs/residual-network.ts';
import { QUICK_PHOTOGRAPHS, SHORT } from '../../photographs/short-training.ts';
import { decideByMargin, percentInterval } from '../../rows/interval.ts';
import { ascending, bySeed, errorWith, rowsWith, unique } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesTable } from '../../rows/series.ts';
import { mean, percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { trackEma } from './ema-tracker.ts';

/** The validation error of one training, under an EMA or (decay null) under PreciseBN: the average over its points. */
export interface Row {
  readonly seed: number;
  /** SGD's rate, which does not change. */
  readonly rate: number;
  /** The EMA's lambda; null for PreciseBN. */
  readonly decay: number | null;
  /** Share of validation photographs that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends SeedSettings {
  readonly photographs: number;
  /** A common start, before any EMA. */
  readonly warmUp: TrainingSettings;
  /** What follows, small batches at a constant rate: so that few batches are a small part of the population. */
  readonly batch: number;
  readonly steps: number;
  /** Large, then small. */
  readonly rates: readonly [number, number];
  /** Measured at the end and as often before, this many steps apart. */
  readonly points: number;
  readonly apart: number;
  readonly decays: readonly number[];
  readonly preciseSamples: number;
  readonly validation: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3, 4, 5],
  photographs: TRAINING,
  warmUp: { ...SHORT, epochs: 1 },
  batch: 16,
  steps: 400,
  rates: [0.1, 0.001],
  points: 3,
  apart: 50,
  decays: [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999],
  preciseSamples: 2_000,
  validation: 1_500,
};

const QUICK: Settings = {
  ...FULL,
  seeds: [1],
  photographs: QUICK_PHOTOGRAPHS,
  steps: 100,
  points: 1,
  preciseSamples: 500,
  validation: 500,
};

export const cifar10EmaDecay: Experiment<Row, Settings> = {
  name: 'cifar10-ema-decay',
  section: '3. CIFAR-10: the decay of the EMA',
  summary: 'validation error against lambda, at a large and a small learning rate',
  finding:
    'With a large lambda the EMA is outdated: it mixes the statistics of networks of many steps ago. With a small ' +
    'one it is forgetful: it ignores most of the population.',

  settings: (quick) => (quick ? QUICK : FULL),

  prepare: preparePhotographs,

  steps: ({ warmUp, photographs, rates, steps }) => stepsOf(warmUp, photographs) + rates.length * steps,

  async runSeed(seed, settings, context) {
    const photographs = await loadPhotographs(context.signal);
    const images = first(photographs.training, settings.photographs);
    const own = { training: images, validation: first(photographs.validation, settings.validation) };
    const model = buildResidualNetwork({ seed, momentum: 0 });
    try {
      const start = new PhotographTraining(model, images, seed, settings.warmUp);
      while (start.step < start.steps) {
        await start.next(context.signal);
        context.advance(`seed ${seed}, start`);
      }
      const middle = await start.state();
      start.dispose();
      const rows: Row[] = [];
      for (const rate of settings.rates) {
        rows.push(...(await runRate(model, own, middle, { seed, rate }, settings, context)));
      }
      return rows;
    } finally {
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => {
    const { head, body } = seriesTable(emaPoints(rows), 'validation error %, lambda', percentInterval);
    const precise = ratesOf(rows).map((rate) => percentInterval(perSeed(rows, rate, null)));
    return { head, body: [...body, ['PreciseBN', ...precise]] };
  },

  figures: (rows) => {
    // PreciseBN has no lambda: a level line.
    const precise = ratesOf(rows).flatMap((rate) =>
      decaysOf(rows).map((x) => ({
        series: `PreciseBN, learning rate ${rate}`,
        x,
        values: perSeed(rows, rate, null),
      })),
    );
    return [
      seriesFigure([...emaPoints(rows), ...precise], {
        x: { type: 'point', label: 'lambda', domain: decaysOf(rows) },
        y: { type: 'log', label: 'validation error (%)' },
        dashed: precise.map(({ series }) => series),
        marginRight: 230,
      }),
    ];
  },
};

/** One training from the common start at a constant rate, measured at its end. */
async function runRate(
  model: ReturnType<typeof buildResidualNetwork>,
  { training: images, validation }: Pick<Photographs, 'training' | 'validation'>,
  start: TrainingState,
  { seed, rate }: Pick<Row, 'seed' | 'rate'>,
  settings: Settings,
  { signal, advance }: SeedContext,
): Promise<Row[]> {
  const { batch, steps, points, apart, decays, preciseSamples: samples } = settings;
  const constant = { ...settings.warmUp, batch, epochs: 1, peak: rate, schedule: 'constant' } as const;
  const training = new PhotographTraining(model, images, seed + 100, constant);
  const emas = trackEma(model, decays, true);
  const errors = new Map<number | null, number[]>();
  try {
    training.resume({ ...start, step: 0 });
    for (let step = 1; step <= steps; step++) {
      await training.next(signal);
      await emas.update(batch);
      advance(`seed ${seed}, learning rate ${rate}`);
      const left = steps - step;
      if (left % apart !== 0 || left / apart >= points) continue;
      for (const decay of [...decays, null]) {
        if (decay !== null) applyStatistics(model, emas.statistics(decay));
        else await usePopulation(model, images, { seed, samples, batch: 250, mode: 'batch', signal });
        errors.set(decay, [...(errors.get(decay) ?? []), await errorRate(model, validation, 250)]);
      }
    }
    return [...errors].map(([decay, own]) => ({ seed, rate, decay, error: mean(own) }));
  } finally {
    training.dispose();
  }
}

function ratesOf(rows: readonly Row[]): number[] {
  return unique(rows.map(({ rate }) => rate));
}

function decaysOf(rows: readonly Row[]): number[] {
  return ascending(rows.flatMap(({ decay }) => (decay === null ? [] : [decay])));
}

function perSeed(rows: readonly Row[], rate: number, decay: number | null): number[] {
  return bySeed(rowsWith(rows, { rate, decay })).map((own) => errorWith(own, {}));
}

function emaPoints(rows: readonly Row[]): SeriesPoint[] {
  return ratesOf(rows).flatMap((rate) =>
    decaysOf(rows).map((x) => ({ series: `EMA, learning rate ${rate}`, x, values: perSeed(rows, rate, x) })),
  );
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const rates = ascending(ratesOf(rows)).reverse();
  const [large, small] = [rates[0]!, rates.at(-1)!];
  const decays = decaysOf(rows);
  const [shortest, longest] = [decays[0]!, decays.at(-1)!];
  const error = (rate: number, decay: number | null) => mean(perSeed(rows, rate, decay));
  const best = (rate: number) => decays.reduce((a, b) => (error(rate, b) < error(rate, a) ? b : a));
  const minus = (rate: number, a: number | null, b: number | null) =>
    perSeed(rows, rate, a).map((value, i) => value - perSeed(rows, rate, b)[i]!);
  const list = (rate: number) =>
    `learning rate ${rate}: ${decays.map((decay) => `${decay} ${percent(error(rate, decay))}`).join(', ')}, PreciseBN ` +
    percent(error(rate, null));
  const outdated = minus(large, longest, null);
  const still = minus(small, longest, null);
  return [
    decideByMargin(
      `A large lambda is outdated: at the large learning rate, ${longest} is more than half a point worse than the best.`,
      list(large),
      minus(large, longest, best(large)).map((by) => by - 0.005),
      `It is ${percent(mean(minus(large, longest, best(large))))} worse.`,
    ),
    decideByMargin(
      'It is the more outdated, the faster the weights move: further from PreciseBN at the large learning rate.',
      `${percent(mean(outdated))} above PreciseBN at ${large}, ${percent(mean(still))} at ${small}`,
      outdated.map((by, i) => by - still[i]!),
      `It is ${percent(mean(still))} away at the small one.`,
    ),
    decideByMargin(
      `A small lambda is forgetful: at the small learning rate, ${shortest} is more than half a point worse than the best.`,
      list(small),
      minus(small, shortest, best(small)).map((by) => by - 0.005),
      `The few batches that it remembers tell enough: ${percent(mean(minus(small, shortest, best(small))))} worse.`,
    ),
    decideByMargin(
      'PreciseBN needs no such choice: at both it is better than the best EMA, or within half a point.',
      rates.map(list).join('; '),
      minus(large, best(large), null).map(
        (by, i) => Math.min(by, minus(small, best(small), null)[i]!) + 0.005,
      ),
      `An EMA is better somewhere: ${rates.map((rate) => `${best(rate)} at ${rate}`).join(', ')}.`,
    ),
  ];
}
