// The findings of Sec. 5 of the paper about a head that feature levels share, decided by the rows.

import type { Sharing } from '@rebatch/domains';
import type { Claim } from '@rebatch/findings';
import { decide } from '../../../rows/decide.ts';
import { bySeed, rowsWith } from '../../../rows/rows.ts';
import { mean, percent } from '../../../rows/summary.ts';
import { isConsistent, type Row, words } from './rows.ts';

/** Average precision means that at an intersection over union of 0.5. */
export function claims(rows: readonly Row[]): Claim[] {
  const find = (train: Sharing, population: Sharing, affine: Sharing) =>
    rowsWith(rows, { train, population, affine });
  const ap = (some: readonly Row[]) => mean(some.map(({ ap50 }) => ap50));
  const kinds = (['shared', 'per-domain'] as const).map((train) => {
    const other = train === 'shared' ? 'per-domain' : 'shared';
    return {
      name: words(train),
      consistent: find(train, train, 'shared'),
      mixed: find(train, other, 'shared'),
      ownAffine: find(train, train, 'per-domain'),
    };
  });
  const working = kinds.flatMap(({ name, consistent, ownAffine }) => [
    { name: `both ${name}`, ap: ap(consistent) },
    { name: `both ${name}, affine per level`, ap: ap(ownAffine) },
  ]);
  const costs = kinds.map(({ consistent, mixed }) => ap(consistent) - ap(mixed));
  const least = Math.min(...costs);
  const shares = kinds.map(({ consistent, mixed }) =>
    consistent.map(({ seed, ap50 }) => 1 - rowsWith(mixed, { seed })[0]!.ap50 / ap50),
  );
  const sharesBySeed = kinds
    .map(({ name }, i) => `SGD ${name} ${shares[i]!.map((share) => percent(share, 0)).join(', ')}`)
    .join('; ');
  const order = bySeed(rows).map((own) => ({
    worst: Math.min(...own.filter(isConsistent).map(({ ap50 }) => ap50)),
    best: Math.max(...own.filter((row) => !isConsistent(row)).map(({ ap50 }) => ap50)),
  }));
  const orderBySeed = order.map(({ worst, best }) => `${percent(worst)} and ${percent(best)}`).join('; ');
  const affine = kinds.map(({ consistent, ownAffine }) => Math.abs(ap(ownAffine) - ap(consistent)));
  const affineDifferences = kinds.map(({ name }, i) => `both ${name} ${percent(affine[i]!)}`).join(', ');
  const between = Math.abs(ap(kinds[0]!.consistent) - ap(kinds[1]!.consistent));
  const levels = kinds.map(({ name, consistent, mixed }) => levelCosts(name, consistent, mixed));
  return [
    decide(
      'Consistent statistics work: the average precision is above 50% wherever SGD and population share alike.',
      working.map(({ name, ap: value }) => `${name} ${percent(value)}`).join(', '),
      working.every(({ ap: value }) => value > 0.5),
      `${working
        .filter(({ ap: value }) => !(value > 0.5))
        .map(({ name, ap: value }) => `${name}: ${percent(value)}`)
        .join(', ')}.`,
    ),
    decide(
      'Mixed statistics fail badly: the same weights lose at least a quarter of their average precision under the other ' +
        'population statistics, in every seed.',
      `${kinds.map(({ name, consistent, mixed }) => `SGD ${name}: ${percent(ap(consistent))} to ${percent(ap(mixed))}`).join('; ')}; ` +
        `lost by seed, ${sharesBySeed}`,
      shares.flat().every((share) => share >= 0.25),
      `The share that is lost is smaller somewhere: ${sharesBySeed}.`,
    ),
    decide(
      'Consistency decides: in every seed, each consistent row is above each mixed row.',
      `lowest consistent and highest mixed by seed, ${orderBySeed}`,
      order.every(({ worst, best }) => worst > best),
      `By seed, the lowest consistent and the highest mixed row are ${orderBySeed}.`,
    ),
    decide(
      'Sharing the affine matters little: it changes the average precision of consistent rows by less than a quarter of ' +
        'what mixing costs at least.',
      `changes, ${affineDifferences}; mixing costs ${percent(least)} at least`,
      affine.every((difference) => difference < least / 4),
      `It changes them by ${affineDifferences}, a quarter of the cost of mixing is ${percent(least / 4)}.`,
    ),
    decide(
      'Whether the levels share statistics matters less than whether SGD and population agree: the consistent rows are ' +
        'nearer to each other than either to the mixed row of the same weights.',
      `both shared and both per level apart by ${percent(between)}; mixing costs ${costs.map((cost) => percent(cost)).join(' and ')}`,
      between < least,
      `The consistent rows are ${percent(between)} apart, and mixing costs ${percent(least)} at least: what is shared in ` +
        'training changes how well the network trains.',
    ),
    decide(
      'The cause is how far a level is from the others: the level whose own statistics differ most from those of all ' +
        'levels together loses most, in every seed.',
      levels.map(({ measured }) => measured).join('; '),
      levels.every(({ farthestLosesMost }) => farthestLosesMost),
      `Not always: ${levels.map(({ measured }) => measured).join('; ')}.`,
    ),
  ];
}

/** What mixing costs each level, and how far the level's variances are from those of all levels. */
function levelCosts(name: string, consistent: readonly Row[], mixed: readonly Row[]) {
  const runs = consistent.map((row) => {
    const other = mixed.find(({ seed }) => seed === row.seed)!;
    return row.levels.map((level, i) => ({
      ...level,
      cost: level.ap50 - other.levels[i]!.ap50,
    }));
  });
  const names = runs[0]!.map((level) => level.name);
  const list = (value: (run: (typeof runs)[number]) => number[], show: (value: number) => string) =>
    names.map((level, i) => `${level} ${show(mean(runs.map((run) => value(run)[i]!)))}`).join(', ');
  const top = (values: readonly number[]) => values.indexOf(Math.max(...values));
  return {
    measured:
      `SGD ${name}, variances apart (ln) ${list(
        (run) => run.map(({ shift }) => shift.variance),
        (v) => v.toFixed(2),
      )}, ` +
      `lost ${list(
        (run) => run.map(({ cost }) => cost),
        (v) => percent(v),
      )}`,
    farthestLosesMost: runs.every(
      (run) => top(run.map(({ shift }) => shift.variance)) === top(run.map(({ cost }) => cost)),
    ),
  };
}
