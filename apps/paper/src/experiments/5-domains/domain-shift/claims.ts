// The findings of Sec. 5 on shifted domains, decided by the rows.

import type { Claim } from '@rebatch/findings';
import { decide } from '../../../rows/decide.ts';
import { unique } from '../../../rows/rows.ts';
import { mean, percent } from '../../../rows/summary.ts';
import {
  averageOf,
  type BySamples,
  isClean,
  isStrong,
  type Row,
  type Shift,
  STRONG,
  shiftsOf,
} from './rows.ts';

/** A shift that adds less than this says nothing about the share of it that adaptation removes. */
const NEGLIGIBLE = 0.005;
/** Adaptation may raise an error by so much where it cannot help: the noise of an average over seeds. */
const HARMLESS = 0.003;
/** A model whose error it raises by more than this is ruined. */
const RUIN = 0.01;
const FEW = 8;
const ENOUGH = 64;

export function claims(rows: readonly Row[]): Claim[] {
  const clean = averageOf(rows.filter((row) => isClean(row) && row.draw === 0));
  const shifts = shiftsOf(rows, isStrong);
  const all = averageOf(shifts.map((shift) => ({ ...shift })));
  const most = Math.max(...Object.keys(all.recomputed).map(Number));
  const worst = shifts.reduce((a, b) => (b.source > a.source ? b : a));

  /** The share of the error added by the shift that these statistics remove. */
  const removed = ({ source }: Omit<Shift, 'corruption'>, adapted: number) =>
    (source - adapted) / (source - clean.source);
  const share = (shift: Omit<Shift, 'corruption'>, adapted: number) => percent(removed(shift, adapted), 0);
  const strong = `severity ${STRONG} and above`;
  const path = (shift: Omit<Shift, 'corruption'>, adapted: number) =>
    `${percent(shift.source, 1)} to ${percent(adapted, 1)}`;
  const each = shifts
    .map((shift) => {
      const adapted = shift.withPrior[ENOUGH]!;
      const small = shift.source - clean.source < NEGLIGIBLE;
      const note = small ? 'hardly any added' : `${share(shift, adapted)} of the added`;
      return `${shift.corruption} ${path(shift, adapted)} (${note})`;
    })
    .join(', ');
  const weak = shifts.filter((shift) => removed(shift, shift.withPrior[ENOUGH]!) < 0.5);
  const added = shifts.filter((shift) => shift.source - clean.source >= NEGLIGIBLE);
  const meanShare = mean(added.map((shift) => removed(shift, shift.withPrior[ENOUGH]!)));
  const cleanDraws = rows.filter(isClean).map((row) => row.withPrior[FEW]! - row.source);
  const cleanRise = mean(cleanDraws);
  const cells = cellsOf(rows);
  const rises = (of: readonly Shift[], read: (shift: Shift) => BySamples) =>
    of.map((shift) => read(shift)[FEW]! - shift.source);
  const prior = rises(cells, (cell) => cell.withPrior);
  const alone = rises(cells, (cell) => cell.recomputed);
  const single = rows.filter((row) => !isClean(row)).map((row) => row.withPrior[FEW]! - row.source);
  const harmed = cells.filter((_, i) => prior[i]! > HARMLESS);
  const listHarmed = harmed
    .map((cell) => `${cell.corruption} ${cell.severity} ${path(cell, cell.withPrior[FEW]!)}`)
    .join(', ');

  return [
    decide(
      `Adapting on ${ENOUGH} unlabeled images of a corruption removes at least half of the error that the shift added, ` +
        `averaged over the corruptions at ${strong}.`,
      `${path(all, all.withPrior[ENOUGH]!)}, where clean digits give ${percent(clean.source, 1)}: ` +
        `${share(all, all.withPrior[ENOUGH]!)} of what was added; the mean of the shares is ` +
        `${percent(meanShare, 0)}. Each: ${each}. ` +
        `Less than half: ${weak.length > 0 ? weak.map(({ corruption }) => corruption).join(', ') : 'none'}`,
      removed(all, all.withPrior[ENOUGH]!) >= 0.5 && meanShare >= 0.5,
      `Only ${share(all, all.withPrior[ENOUGH]!)} is removed, and ${percent(meanShare, 0)} on average; what the corruptions erase, no statistics bring back.`,
    ),
    decide(
      `So it does for the worst corruption at ${strong}.`,
      `${worst.corruption} ${path(worst, worst.withPrior[ENOUGH]!)}: ${share(worst, worst.withPrior[ENOUGH]!)}`,
      removed(worst, worst.withPrior[ENOUGH]!) >= 0.5,
      `${worst.corruption} leaves ${percent(worst.withPrior[ENOUGH]!, 1)}: it destroys more than it shifts.`,
    ),
    decide(
      `With the prior, adapting on ${FEW} clean images of the source raises the clean error by at most 0.3 points.`,
      `by ${points(cleanRise)} on average over ${cleanDraws.length} draws, by ${points(Math.max(...cleanDraws))} at ` +
        'the most',
      cleanRise <= 0.003,
      `${FEW} images are too few for a prior this small: ${points(cleanRise)}.`,
    ),
    decide(
      `Recomputed statistics recover much of the loss: with ${most} samples more than half, at ${strong}.`,
      `${path(all, all.recomputed[most]!)}: ${share(all, all.recomputed[most]!)}`,
      removed(all, all.recomputed[most]!) > 0.5,
      `They recover ${share(all, all.recomputed[most]!)}.`,
    ),
    decide(
      `Few samples are enough: with ${ENOUGH}, with the prior and without, the error is within one point of that with ${most}.`,
      `${percent(all.withPrior[ENOUGH]!, 1)} and ${percent(all.recomputed[ENOUGH]!, 1)}, against ` +
        `${percent(all.recomputed[most]!, 1)} with ${most}`,
      [all.withPrior, all.recomputed].every((errors) => errors[ENOUGH]! - all.recomputed[most]! <= 0.01),
      `${ENOUGH} samples are ${points(all.recomputed[ENOUGH]! - all.recomputed[most]!)} behind without the prior, ` +
        `${points(all.withPrior[ENOUGH]! - all.recomputed[most]!)} with it.`,
    ),
    decide(
      `With the prior, ${FEW} images already help: they remove at least a third of the added error at ${strong}.`,
      `${path(all, all.withPrior[FEW]!)}: ${share(all, all.withPrior[FEW]!)}`,
      removed(all, all.withPrior[FEW]!) >= 1 / 3,
      `They remove ${share(all, all.withPrior[FEW]!)}.`,
    ),
    decide(
      `And they never ruin the model: at no severity of any corruption do they raise the error by more than ` +
        `${points(RUIN)}, averaged over the seeds.`,
      `at most by ${points(Math.max(...prior))}; without the prior by ${points(Math.max(...alone))}. Of single runs, ` +
        `${single.filter((rise) => rise > RUIN).length} of ${single.length} are above it, at most ` +
        points(Math.max(...single)),
      Math.max(...prior) <= RUIN,
      `They raise it by ${points(Math.max(...prior))}.`,
    ),
    decide(
      `They do no harm at all: nowhere do they raise it by more than ${points(HARMLESS)}.`,
      `${cells.length - harmed.length} of ${cells.length}; without the prior ` +
        `${alone.filter((rise) => rise <= HARMLESS).length} of ${cells.length}` +
        `${harmed.length > 0 ? `. Worse off: ${listHarmed}` : ''}`,
      harmed.length === 0,
      `${FEW} images are noisy, and statistics over all positions fit no part of an image that is corrupted in part: ` +
        `${listHarmed}.`,
    ),
    decide(
      `Mini-batch statistics at inference recover as much: within one point of ${most} samples, at ${strong}.`,
      `${percent(all.miniBatch, 1)} against ${percent(all.recomputed[most]!, 1)}`,
      Math.abs(all.miniBatch - all.recomputed[most]!) <= 0.01,
      `They are ${points(all.miniBatch - all.recomputed[most]!)} away.`,
    ),
  ];
}

/** Corruptions at each severity, averaged over the seeds. */
function cellsOf(rows: readonly Row[]): (Shift & { readonly severity: number })[] {
  const severities = unique(rows.filter((row) => !isClean(row)).map(({ severity }) => severity));
  return severities.flatMap((severity) =>
    shiftsOf(rows, (row) => !isClean(row) && row.severity === severity).map((shift) => ({
      ...shift,
      severity,
    })),
  );
}

/** A difference of shares in percentage points. */
function points(difference: number): string {
  return `${(100 * difference).toFixed(2)} points`;
}
