// Sec. 3 of the paper: the EMA's lambda. Large: outdated, a mix of networks of many steps ago. Small: forgetful, it
// ignores most of the population. Which one hurts depends on how fast the weights move.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { LabeledImages } from '@rebatch/images';
import { applyStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Experiment, SeedContext, SeedSettings } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { ascending, bySeed, errorWith, rowsWith, unique } from '../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesTable } from '../../rows/series.ts';
import { percent, percentSpread } from '../../rows/summary.ts';
import { type Block, buildNetwork, errorRate, FIVE_LAYERS } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { Training } from '../../training/training.ts';
import { trackEma } from './ema-tracker.ts';

/** The validation error at one point of one training run, under an EMA or (decay null) under PreciseBN. */
export interface Row {
  readonly seed: number;
  readonly learningRate: number;
  /** SGD steps at this learning rate. */
  readonly step: number;
  /** The EMA's lambda; null for PreciseBN. */
  readonly decay: number | null;
  /** Share of validation digits that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends SeedSettings {
  readonly blocks: readonly Block[];
  /** Small, so that few batches are a small part of the population. */
  readonly batch: number;
  /** A common start, before any EMA. */
  readonly warmUp: { readonly steps: number; readonly learningRate: number };
  /** Large, then small. */
  readonly learningRates: readonly [number, number];
  /** Steps after the start at which the errors are measured. */
  readonly steps: readonly number[];
  readonly decays: readonly number[];
  /** Whether the EMAs leave out their start at mean 0 and variance 1. */
  readonly debias: true;
  readonly preciseSamples: number;
  readonly validation: number;
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  blocks: FIVE_LAYERS,
  batch: 16,
  warmUp: { steps: 300, learningRate: 0.1 },
  learningRates: [0.5, 0.005],
  steps: [200, 250, 300, 350, 400],
  decays: [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999],
  debias: true,
  preciseSamples: 2_048,
  validation: 2_000,
};

const QUICK: Settings = { ...FULL, seeds: [1], steps: [150, 200], warmUp: { steps: 150, learningRate: 0.1 } };

export const emaDecay: Experiment<Row, Settings> = {
  name: 'ema-decay',
  section: '3. Whole population as a batch: the decay of the EMA',
  summary: 'validation error against lambda, at a large and a small learning rate',
  finding:
    'With a large lambda the EMA is outdated: it mixes the statistics of networks of many steps ago. With a small ' +
    'one it is forgetful: it ignores most of the population.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: (s) => s.warmUp.steps + s.learningRates.length * (s.steps.at(-1)! + s.steps.length),

  async runSeed(seed, settings, context) {
    const train = await loadDigits('train');
    const validation = firstDigits(await loadDigits('t10k'), settings.validation);
    const model = buildNetwork({ seed, momentum: 0, blocks: settings.blocks });
    const { batch, warmUp, learningRates } = settings;
    const start = new Training(model, train, { seed, batch, learningRate: warmUp.learningRate });
    try {
      await start.steps(warmUp.steps, context, `seed ${seed}, start`);
      const weights = model.getWeights().map((weight) => tf.clone(weight));
      const rows: Row[] = [];
      for (const learningRate of learningRates) {
        model.setWeights(weights);
        rows.push(
          ...(await runRate(model, { train, validation }, { seed, learningRate }, settings, context)),
        );
      }
      tf.dispose(weights);
      return rows;
    } finally {
      start.dispose();
      model.dispose();
    }
  },

  claims,

  table: ({ rows }) => {
    const { head, body } = seriesTable(emaPoints(rows), 'validation error %, lambda');
    const precise = ratesOf(rows).map((r) => percentSpread(perSeed(rows, r, null)));
    return { head, body: [...body, ['PreciseBN', ...precise]] };
  },

  figures: (rows) => {
    const decays = decaysOf(rows);
    // PreciseBN has no lambda: a level line.
    const precise = ratesOf(rows).flatMap((rate) =>
      decays.map((x) => ({
        series: `PreciseBN, learning rate ${rate}`,
        x,
        values: perSeed(rows, rate, null),
      })),
    );
    const figure = seriesFigure([...emaPoints(rows), ...precise], {
      x: { type: 'point', label: 'lambda', domain: decays },
      y: { type: 'log', label: 'validation error (%)' },
      dashed: precise.map(({ series }) => series),
      marginRight: 230,
    });
    return [figure];
  },
};

/** One training from the common start, measured on its way. */
async function runRate(
  model: tfl.LayersModel,
  { train, validation }: { readonly train: LabeledImages; readonly validation: LabeledImages },
  { seed, learningRate }: Pick<Row, 'seed' | 'learningRate'>,
  { batch, steps, decays, debias, preciseSamples: samples }: Settings,
  context: SeedContext,
): Promise<Row[]> {
  const training = new Training(model, train, { seed: seed + 100, batch, learningRate });
  const emas = trackEma(model, decays, debias);
  const rows: Row[] = [];
  const what = `seed ${seed}, learning rate ${learningRate}`;
  const { signal } = context;
  try {
    for (let step = 1; step <= steps.at(-1)!; step++) {
      await training.step(context, what);
      await emas.update(batch);
      if (!steps.includes(step)) continue;
      for (const decay of [...decays, null]) {
        if (decay !== null) applyStatistics(model, emas.statistics(decay));
        else await usePopulation(model, train, { seed, samples, batch: 256, mode: 'batch', signal });
        rows.push({ seed, learningRate, step, decay, error: await errorRate(model, validation, 256) });
      }
      context.advance(what);
    }
    return rows;
  } finally {
    training.dispose();
  }
}

function ratesOf(rows: readonly Row[]): number[] {
  return unique(rows.map((row) => row.learningRate));
}

function decaysOf(rows: readonly Row[]): number[] {
  return ascending(rows.flatMap(({ decay }) => (decay === null ? [] : [decay])));
}

/** One value per seed: the average over its points of training. */
function perSeed(rows: readonly Row[], rate: number, decay: number | null): number[] {
  return bySeed(rowsWith(rows, { learningRate: rate, decay })).map((own) => errorWith(own, {}));
}

function emaPoints(rows: readonly Row[]): SeriesPoint[] {
  return ratesOf(rows).flatMap((rate) =>
    decaysOf(rows).map((x) => ({
      series: `EMA, learning rate ${rate}`,
      x,
      values: perSeed(rows, rate, x),
    })),
  );
}

/** The findings of Sec. 3, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const rates = ascending(ratesOf(rows)).reverse();
  const [large, small] = [rates[0]!, rates.at(-1)!];
  const decays = decaysOf(rows);
  const [shortest, longest] = [decays[0]!, decays.at(-1)!];
  const error = (rate: number, decay: number | null) => errorWith(rows, { learningRate: rate, decay });
  const best = (rate: number) => decays.reduce((a, b) => (error(rate, b) < error(rate, a) ? b : a));
  const loss = (rate: number, decay: number) => error(rate, decay) - error(rate, best(rate));
  const outdated = (rate: number) => error(rate, longest) - error(rate, null);
  const against = (rate: number, decay: number) =>
    `learning rate ${rate}: lambda ${decay} ${percent(error(rate, decay))}, ` +
    `best (lambda ${best(rate)}) ${percent(error(rate, best(rate)))}`;
  const precise = rates
    .map(
      (r) =>
        `learning rate ${r}: PreciseBN ${percent(error(r, null))}, best EMA ${percent(error(r, best(r)))}`,
    )
    .join('; ');
  return [
    decide(
      `A large lambda is outdated: at the large learning rate, ${longest} is more than 0.2 percentage points worse than ` +
        'the best.',
      against(large, longest),
      loss(large, longest) > 0.002,
      `The weights move too little in these steps: ${percent(loss(large, longest))} worse.`,
    ),
    decide(
      'It is the more outdated, the faster the weights move: further from PreciseBN at the large learning rate.',
      rates.map((r) => `learning rate ${r}: ${percent(outdated(r))} above PreciseBN`).join('; '),
      outdated(large) > outdated(small),
      `It is ${percent(outdated(small))} away at the small learning rate, ${percent(outdated(large))} at the large.`,
    ),
    decide(
      `A small lambda is forgetful: at the small learning rate, ${shortest} is more than 0.2 percentage points worse than ` +
        'the best.',
      against(small, shortest),
      loss(small, shortest) > 0.002,
      `The few batches that lambda ${shortest} remembers already tell enough: ${percent(loss(small, shortest))} worse.`,
    ),
    decide(
      'So the best lambda is smaller at the large learning rate.',
      rates.map((r) => `learning rate ${r}: lambda ${best(r)}`).join('; '),
      best(large) < best(small),
      `It is ${best(large)} at the large learning rate and ${best(small)} at the small.`,
    ),
    decide(
      'PreciseBN needs no such choice: at both, it is better than the best EMA, or within 0.2 percentage points.',
      precise,
      rates.every((r) => error(r, null) <= error(r, best(r)) + 0.002),
      `An EMA is better somewhere: ${precise}.`,
    ),
  ];
}
