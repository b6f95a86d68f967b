// The findings of Sec. 5 of the paper on two styles of the same symbols, decided by the rows.

import type { Sharing } from '@rebatch/domains';
import type { Claim } from '@rebatch/findings';
import { decide } from '../../../rows/decide.ts';
import { bySeed, errorWith, rowsWith } from '../../../rows/rows.ts';
import { mean, percent, percentSpread } from '../../../rows/summary.ts';
import { STYLES, type Style } from './packages.ts';
import type { BothStylesRow, DistanceRow, OneStyleRow, Row } from './rows.ts';

const DIRECTIONS = STYLES.flatMap((trained) =>
  STYLES.filter((style) => style !== trained).map((tested) => ({ trained, tested })),
);

/** All claims: on a network that was trained on one style, then on one trained on both. */
export function emojiClaims(rows: readonly Row[]): Claim[] {
  return [
    ...transferClaims(rows.filter((row) => row.part === 'one style')),
    ...sharingClaims(
      rows.filter((row) => row.part === 'both styles'),
      rows.filter((row) => row.part === 'distance'),
    ),
  ];
}

function transferClaims(rows: readonly OneStyleRow[]): Claim[] {
  const all = Math.max(...rows.map(({ samples }) => samples));
  const few = Math.min(...rows.map(({ samples }) => samples).filter((samples) => samples > 0));
  const enough = 64;
  const prior = Math.max(...rows.map((row) => row.prior));
  /** One per seed. */
  const errors = (trained: Style, tested: Style, samples: number, weight = 0) =>
    rowsWith(rows, { trained, tested, samples, prior: weight }).map((row) => row.error);
  const error = (...of: Parameters<typeof errors>) => mean(errors(...of));
  const each = (say: (trained: Style, tested: Style) => string) =>
    DIRECTIONS.map(({ trained, tested }) => `${trained} to ${tested} ${say(trained, tested)}`).join('; ');
  const every = (holds: (trained: Style, tested: Style) => boolean) =>
    DIRECTIONS.every(({ trained, tested }) => holds(trained, tested));
  const lost = (trained: Style, tested: Style) => error(trained, tested, 0) - error(trained, trained, 0);
  const won = (trained: Style, tested: Style) =>
    difference(errors(trained, tested, all), errors(trained, tested, 0));
  const shares = each((from, to) => `${points(won(from, to))} of the ${percent(lost(from, to))} lost`);
  const byNumber = each(
    (from, to) =>
      `${percent(error(from, to, enough))} with ${enough}, ${percent(error(from, to, all))} with all`,
  );
  const withFew = each(
    (from, to) =>
      `${percent(error(from, to, 0))} without, ${percent(error(from, to, few, prior))} with prior ${prior}, ` +
      `${percent(error(from, to, few))} with none`,
  );
  return [
    decide(
      'A style is a domain: on the other style, a network errs at least 5 percentage points more often than on the one ' +
        'it was trained on.',
      each(
        (from, to) =>
          `${percent(error(from, from, 0))} on its own, ${percent(error(from, to, 0))} on the other`,
      ),
      every((from, to) => lost(from, to) >= 0.05),
      `What was learned on one style mostly holds on the other: it loses ${each((from, to) => percent(lost(from, to)))}.`,
    ),
    decide(
      'Statistics recomputed on unlabeled pictures of the other style win back a part of that, in both directions.',
      `all ${all} pictures change the error by, ${shares}`,
      every((from, to) => mean(won(from, to)) < 0),
      'What differs between the styles is more than the means and variances that these statistics hold: in one ' +
        `direction or both, they win nothing (${shares}).`,
    ),
    decide(
      `Few pictures are enough: ${enough} are within 1 percentage point of all ${all}.`,
      byNumber,
      every((from, to) => error(from, to, enough) <= error(from, to, all) + 0.01),
      `${enough} pictures do not say enough about the channels: ${byNumber}.`,
    ),
    decide(
      `With a prior of ${prior}, as few as ${few} pictures do not harm: the error rises by at most 0.5 percentage points ` +
        'over that without adapting.',
      `with ${few} pictures, ${withFew}`,
      every((from, to) => error(from, to, few, prior) <= error(from, to, 0) + 0.005),
      `The prior does not hold back enough of what ${few} pictures get wrong: ${withFew}.`,
    ),
  ];
}

function sharingClaims(rows: readonly BothStylesRow[], distances: readonly DistanceRow[]): Claim[] {
  /** Of each seed, over both styles. */
  const errors = (train: Sharing, population: Sharing, affine: Sharing) =>
    bySeed(rowsWith(rows, { train, population, affine })).map((own) => errorWith(own, {}));
  const consistent = (train: Sharing, affine: Sharing) => errors(train, train, affine);
  const trainings = [
    ['shared', 'shared'],
    ['per-domain', 'shared'],
    ['per-domain', 'per-domain'],
  ] as const;
  const each = (say: (train: Sharing, affine: Sharing) => string) =>
    trainings.map(([train, affine]) => `SGD ${train}, affine ${affine}: ${say(train, affine)}`).join('; ');
  const cost = (train: Sharing, affine: Sharing) =>
    difference(
      errors(train, train === 'shared' ? 'per-domain' : 'shared', affine),
      consistent(train, affine),
    );
  const costs = each((train, affine) => points(cost(train, affine)));
  const shift = mean(distances.filter(({ trained }) => trained === 'both').map((row) => row.shift));
  const statistics = difference(consistent('per-domain', 'shared'), consistent('shared', 'shared'));
  const affine = difference(consistent('per-domain', 'per-domain'), consistent('per-domain', 'shared'));
  return [
    decide(
      'Consistency between SGD and population statistics is crucial: in each training on both styles, population ' +
        'statistics of the other kind raise the error by at least 2 percentage points.',
      `population statistics of the other kind change it by, ${costs}`,
      trainings.every(([train, own]) => mean(cost(train, own)) >= 0.02),
      'Two styles of the same symbols are no feature levels: in a network that learned both, their channel means are ' +
        `${shift.toFixed(2)} standard deviations apart in the layer where they differ most, so that it matters little ` +
        `which of them it runs on (${costs}).`,
    ),
    decide(
      'Where SGD and population statistics agree, sharing them or not matters little: the errors are within 2 percentage ' +
        'points.',
      `${each((train, own) => percent(mean(consistent(train, own))))}; of the first two, per domain instead of ` +
        `shared changes it by ${points(statistics)}`,
      Math.abs(mean(statistics)) <= 0.02,
      `Statistics per style change the error by ${points(statistics)}.`,
    ),
    decide(
      'Sharing the affine or not matters little: the errors are within 2 percentage points.',
      `with statistics per domain, an affine per domain changes the error by ${points(affine)}`,
      Math.abs(mean(affine)) <= 0.02,
      `A gamma and beta per style change the error by ${points(affine)}.`,
    ),
  ];
}

/** Seed by seed. */
function difference(of: readonly number[], from: readonly number[]): number[] {
  return of.map((value, i) => value - from[i]!);
}

/** Mean and spread over seeds of differences between shares, in percentage points. */
function points(differences: readonly number[]): string {
  return `${mean(differences) < 0 ? '' : '+'}${percentSpread(differences)} points`;
}
