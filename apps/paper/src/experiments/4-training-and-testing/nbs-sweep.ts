// Sec. 4 of the paper: the fewer samples are normalized together in training (at the same SGD batch), the more
// training and inference differ.

import { firstDigits, loadDigits } from '@rebatch/digits';
import type { Claim } from '@rebatch/findings';
import type { Experiment } from '../../experiment.ts';
import { decide } from '../../rows/decide.ts';
import { errorWith } from '../../rows/rows.ts';
import { seriesTable } from '../../rows/series.ts';
import { percent } from '../../rows/summary.ts';
import { errorRate } from '../../training/network.ts';
import { usePopulation } from '../../training/population.ts';
import { type CosineSettings, trainWithCosine } from '../../training/training.ts';
import {
  forEachSize,
  type NormalizationBatchSettings,
  pointsOf,
  SHARED,
  sizesFigure,
  sizesOf,
} from './by-normalization-batch.ts';

const MEASURES = ['training, mini-batch', 'validation, mini-batch', 'validation, population'] as const;

/** One of the three errors of one training run. */
export interface Row {
  readonly seed: number;
  /** Samples that are normalized together in training. */
  readonly normalizationBatch: number;
  /** The digits, and the statistics they are normalized by. */
  readonly measure: (typeof MEASURES)[number];
  /** Share of the digits that are misclassified, 0 to 1. */
  readonly error: number;
}

interface Settings extends NormalizationBatchSettings, CosineSettings {
  /** Digits per error. A multiple of the batch, so that every normalization batch is full. */
  readonly evaluation: number;
}

const FULL: Settings = {
  ...SHARED,
  learningRate: 0.5,
  schedule: 'cosine',
  evaluation: 4_096,
};

const QUICK: Settings = { ...FULL, seeds: [1], normalizationBatches: [2, 16, 256], steps: 40 };

export const nbsSweep: Experiment<Row, Settings> = {
  name: 'nbs-sweep',
  section: '4. Train/test inconsistency: the normalization batch size',
  summary: 'three errors against the samples that are normalized together, at one SGD batch size',
  finding:
    'The smaller the normalization batch, the larger the gap between mini-batch and population statistics, and so ' +
    'between training and inference. Small ones also train worse.',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: ({ normalizationBatches, steps }) => normalizationBatches.length * steps,

  async runSeed(seed, settings, context) {
    const { batch, evaluation, population } = settings;
    const train = firstDigits(await loadDigits('train'), settings.training);
    const validation = firstDigits(await loadDigits('t10k'), evaluation);
    const seen = firstDigits(train, evaluation);
    const rows: Row[] = [];
    await forEachSize(settings, seed, async (model, normalizationBatch) => {
      const what = `seed ${seed}, normalization batch ${normalizationBatch}`;
      const add = (measure: Row['measure'], error: number) =>
        rows.push({ seed, normalizationBatch, measure, error });
      await trainWithCosine(model, train, { seed, ...settings }, context, what);
      add('training, mini-batch', await errorRate(model, seen, batch, 'batch'));
      add('validation, mini-batch', await errorRate(model, validation, batch, 'batch'));
      await usePopulation(model, train, { seed, batch, ...population, signal: context.signal });
      add('validation, population', await errorRate(model, validation, batch));
    });
    return rows;
  },

  claims,

  table: ({ rows }) => seriesTable(points(rows), 'error %, normalization batch'),

  figures: (rows) => [sizesFigure(points(rows), 'error (%)')],
};

const points = (rows: readonly Row[]) => pointsOf(rows, (row) => row.measure);

/** The findings of Sec. 4, decided by the rows. */
function claims(rows: readonly Row[]): Claim[] {
  const { sizes, smallest, largest, small } = sizesOf(rows);
  const error = (measure: Row['measure'], normalizationBatch: number) =>
    errorWith(rows, { measure, normalizationBatch });
  const training = (size: number) => error('training, mini-batch', size);
  const miniBatch = (size: number) => error('validation, mini-batch', size);
  const population = (size: number) => error('validation, population', size);
  const gap = (size: number) => Math.abs(miniBatch(size) - population(size));
  const away = (size: number, validation: number) => Math.abs(validation - training(size));
  const list = (of: readonly number[], value: (size: number) => number) =>
    of.map((size) => `${size}: ${percent(value(size))}`).join(', ');
  const both = list(small, miniBatch);
  const gaps = `validation error under mini-batch and under population statistics apart by ${list(sizes, gap)}`;
  return [
    decide(
      'The smaller the normalization batch, the larger the gap between mini-batch and population statistics: it ' +
        'shrinks, or stays within 0.1 percentage points, with each larger size.',
      gaps,
      gap(smallest) > gap(largest) && sizes.slice(1).every((size, i) => gap(size) <= gap(sizes[i]!) + 0.001),
      `From one size to the next the gap grows somewhere: ${list(sizes, gap)}.`,
    ),
    decide(
      'Large normalization batches are consistent: at the largest, the two are within 0.2 percentage points.',
      `gap at ${largest} ${percent(gap(largest))}`,
      gap(largest) <= 0.002,
      `Even ${largest} samples leave a gap of ${percent(gap(largest))}.`,
    ),
    decide(
      'Small normalization batches train worse: the training error is highest at the smallest.',
      `training error under mini-batch statistics ${list(sizes, training)}`,
      sizes.slice(1).every((size) => training(smallest) > training(size)),
      `The training error does not fall from ${percent(training(smallest))} at every larger size.`,
    ),
    decide(
      'They also end worse under population statistics: the validation error is highest at the smallest.',
      `validation error under population statistics ${list(sizes, population)}`,
      sizes.slice(1).every((size) => population(smallest) > population(size)),
      `The noise of small batches costs less than it regularizes: ${list(sizes, population)}.`,
    ),
    decide(
      'Mini-batch statistics at inference reduce the inconsistency where the normalization batch is small (4 at most): ' +
        'the validation error is nearer to the training error than under population statistics.',
      `training error ${list(small, training)}; from it, under mini-batch statistics ` +
        `${list(small, (size) => away(size, miniBatch(size)))}, under population statistics ` +
        `${list(small, (size) => away(size, population(size)))}`,
      small.every((size) => away(size, miniBatch(size)) < away(size, population(size))),
      'The distance is not inconsistency alone: mini-batch statistics keep the generalization gap ' +
        `(${list(small, (size) => away(size, miniBatch(size)))}), while population statistics lower the error itself, ` +
        `and end nearer at some of these sizes (${list(small, (size) => away(size, population(size)))}).`,
    ),
    decide(
      'And they lower the validation error there (the paper finds that in R-CNN heads).',
      `under mini-batch statistics ${both}; under population statistics ${list(small, population)}`,
      small.every((size) => miniBatch(size) < population(size)),
      'Consistency is not accuracy: a digit normalized with so few others loses more to their noise ' +
        `(${both}) than the network loses by being run on statistics it was not trained on ` +
        `(${list(small, population)}).`,
    ),
  ];
}
