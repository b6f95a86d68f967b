// The findings of Sec. 4 on the normalization batch of photographs, decided by the rows.

import type { Claim } from '@rebatch/findings';
import { decideByMargin } from '../../../rows/interval.ts';
import { bySeed, errorWith, rowsWith } from '../../../rows/rows.ts';
import { mean, percent } from '../../../rows/summary.ts';
import { sizesOf } from '../by-normalization-batch.ts';

export const MEASURES = ['training, mini-batch', 'validation, mini-batch', 'validation, population'] as const;

/** One of the three errors of one training. */
export interface Row {
  readonly seed: number;
  /** What was trained on: with few photographs the network knows them by heart. */
  readonly regime: 'all photographs' | 'few photographs';
  /** Samples that are normalized together in training. */
  readonly normalizationBatch: number;
  /** The photographs, and the statistics they are normalized by. */
  readonly measure: (typeof MEASURES)[number];
  /** Share of the photographs that are misclassified, 0 to 1. */
  readonly error: number;
}

export function claims(rows: readonly Row[]): Claim[] {
  const { sizes, smallest, largest } = sizesOf(rows);
  const [TRAINED, MINI_BATCH, POPULATION] = MEASURES;
  const errors = (regime: Row['regime'], measure: Row['measure'], normalizationBatch: number) =>
    bySeed(rowsWith(rows, { regime, measure, normalizationBatch })).map((own) => errorWith(own, {}));
  const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!);
  /** How far mini-batch and population statistics are apart, one value per seed. */
  const gap = (regime: Row['regime'], size: number) =>
    minus(errors(regime, POPULATION, size), errors(regime, MINI_BATCH, size)).map(Math.abs);
  const list = (regime: Row['regime'], measure: Row['measure']) =>
    sizes.map((size) => `${size}: ${percent(mean(errors(regime, measure, size)))}`).join(', ');
  const gaps = (regime: Row['regime']) =>
    sizes.map((size) => `${size}: ${percent(mean(gap(regime, size)))}`).join(', ');
  const [all, few] = ['all photographs', 'few photographs'] as const;
  const overfit = minus(errors(few, POPULATION, largest), errors(few, TRAINED, largest));
  const gained = (regime: Row['regime']) =>
    minus(errors(regime, POPULATION, smallest), errors(regime, MINI_BATCH, smallest));

  return [
    decideByMargin(
      `The gap between mini-batch and population statistics is larger at ${smallest} than at ${largest}, by at least a point.`,
      `validation errors apart by ${gaps(all)}`,
      minus(gap(all, smallest), gap(all, largest)).map((by) => by - 0.01),
      `They are apart by ${gaps(all)}.`,
    ),
    decideByMargin(
      `At ${largest} they are consistent: within a point.`,
      `apart by ${percent(mean(gap(all, largest)))}`,
      gap(all, largest).map((by) => 0.01 - by),
      `Even there they are ${percent(mean(gap(all, largest)))} apart.`,
    ),
    decideByMargin(
      `Small normalization batches train worse: at ${smallest} the training error is at least 2 points above that at ${largest}.`,
      list(all, TRAINED),
      minus(errors(all, TRAINED, smallest), errors(all, TRAINED, largest)).map((by) => by - 0.02),
      `It is ${list(all, TRAINED)}.`,
    ),
    decideByMargin(
      `And end worse under population statistics: at ${smallest} the validation error is above that at ${largest}.`,
      list(all, POPULATION),
      minus(errors(all, POPULATION, smallest), errors(all, POPULATION, largest)),
      `It is ${list(all, POPULATION)}.`,
    ),
    decideByMargin(
      `On few photographs there is a training gap: at ${largest} validation is at least 15 points above training.`,
      `training ${list(few, TRAINED)}; validation ${list(few, POPULATION)}`,
      overfit.map((by) => by - 0.15),
      `It is ${percent(mean(overfit))}.`,
    ),
    decideByMargin(
      `With that gap, mini-batch statistics at inference are better than population statistics at ${smallest} (the paper: R-CNN heads).`,
      `mini-batch ${list(few, MINI_BATCH)}; population ${list(few, POPULATION)}`,
      gained(few),
      `They are ${percent(-mean(gained(few)))} worse: what two photographs tell of the statistics is too noisy.`,
    ),
    decideByMargin(
      `Without the gap they are not: on all photographs, mini-batch statistics are worse at ${smallest}.`,
      `mini-batch ${list(all, MINI_BATCH)}; population ${list(all, POPULATION)}`,
      gained(all).map((by) => -by),
      `They are ${percent(mean(gained(all)))} better.`,
    ),
  ];
}
