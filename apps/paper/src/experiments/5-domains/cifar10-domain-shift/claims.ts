// The findings of Sec. 5 on corrupted photographs, decided by the rows.

import type { Claim } from '@rebatch/findings';
import { decideByMargin } from '../../../rows/interval.ts';
import { mean, percent } from '../../../rows/summary.ts';
import {
  type BySamples,
  corruptionsOf,
  isClean,
  isStrong,
  perSeed,
  type Row,
  STRONG,
  samplesOf,
} from './rows.ts';

const FEW = 8;
const ENOUGH = 64;

export function claims(rows: readonly Row[]): Claim[] {
  const most = Math.max(...samplesOf(rows));
  const strong = (read: (row: Row) => number) => perSeed(rows, isStrong, read);
  const clean = (read: (row: Row) => number) => perSeed(rows, isClean, read);
  const source = strong((row) => row.source);
  const cleanSource = clean((row) => row.source);
  const added = source.map((error, i) => error - cleanSource[i]!);
  /** The share of the added error that is removed, one value per seed. */
  const removed = (read: (row: Row) => number) =>
    strong(read).map((error, i) => (source[i]! - error) / added[i]!);
  const at = (way: (row: Row) => BySamples, samples: number) => (row: Row) => way(row)[samples]!;
  const plain = (row: Row) => row.plain;
  const prior = (row: Row) => row.prior;
  const reference = (row: Row) => row.reference;
  const show = (read: (row: Row) => number) => percent(mean(strong(read)), 1);
  const share = (read: (row: Row) => number) => percent(mean(removed(read)), 0);
  const path = (read: (row: Row) => number) =>
    `${percent(mean(source), 1)} to ${show(read)}, where clean photographs give ${percent(mean(cleanSource), 1)}: ` +
    `${share(read)} of what was added`;
  const each = corruptionsOf(rows)
    .map((name) => {
      const own = (read: (row: Row) => number) =>
        mean(perSeed(rows, (row) => isStrong(row) && row.corruption === name, read));
      return `${name} ${percent(
        own((row) => row.source),
        1,
      )} to ${percent(own(at(prior, ENOUGH)), 1)}`;
    })
    .join(', ');
  const within = (a: (row: Row) => number, b: (row: Row) => number, bound: number) => {
    const others = strong(b);
    return strong(a).map((error, i) => bound - (error - others[i]!));
  };
  const rise = (read: (row: Row) => number) => clean(read).map((error, i) => error - cleanSource[i]!);
  const text = `at severity ${STRONG} and above`;

  return [
    decideByMargin(
      `Adapting with the prior on ${ENOUGH} unlabeled photographs removes at least half of the error that the corruptions ` +
        `added, on average ${text}.`,
      `${path(at(prior, ENOUGH))}. Each: ${each}`,
      removed(at(prior, ENOUGH)).map((value) => value - 0.5),
      `${share(at(prior, ENOUGH))} is removed, and with ${most} photographs ${share(at(prior, most))}: the rest is what ` +
        'corruptions erase, which no statistics bring back.',
    ),
    decideByMargin(
      `Recomputed statistics recover much of the loss: with ${most} photographs at least half, ${text}.`,
      path(at(plain, most)),
      removed(at(plain, most)).map((value) => value - 0.5),
      `They recover ${share(at(plain, most))}.`,
    ),
    decideByMargin(
      `Relative to a reference, ${ENOUGH} photographs do as well as with the prior: within one point, ${text}.`,
      `${show(at(reference, ENOUGH))} against ${show(at(prior, ENOUGH))}`,
      within(at(reference, ENOUGH), at(prior, ENOUGH), 0.01),
      `The reference is ${percent(mean(within(at(prior, ENOUGH), at(reference, ENOUGH), 0)))} worse.`,
    ),
    decideByMargin(
      `Few are enough: with ${ENOUGH} and the prior, the error is within one point of that with ${most}, ${text}.`,
      `${show(at(prior, ENOUGH))} against ${show(at(prior, most))}`,
      within(at(prior, ENOUGH), at(prior, most), 0.01),
      `${ENOUGH} photographs are ${percent(mean(within(at(prior, most), at(prior, ENOUGH), 0)))} behind.`,
    ),
    decideByMargin(
      `With the prior, ${FEW} photographs already remove at least a third of the added error, ${text}.`,
      path(at(prior, FEW)),
      removed(at(prior, FEW)).map((value) => value - 1 / 3),
      `They remove ${share(at(prior, FEW))}.`,
    ),
    decideByMargin(
      `The prior is what makes ${FEW} enough: without it, the error is at least a point higher, ${text}.`,
      `${show(at(plain, FEW))} without it, ${show(at(prior, FEW))} with it`,
      within(at(prior, FEW), at(plain, FEW), -0.01),
      `Without it the error is ${percent(mean(within(at(prior, FEW), at(plain, FEW), 0)))} higher.`,
    ),
    decideByMargin(
      `Mini-batch statistics at inference recover as much: within one point of ${most} photographs, ${text}.`,
      `${show((row) => row.miniBatch)} against ${show(at(plain, most))}`,
      within((row) => row.miniBatch, at(plain, most), 0.01),
      `They are ${percent(mean(within(at(plain, most), (row) => row.miniBatch, 0)))} behind.`,
    ),
    decideByMargin(
      `On clean photographs, which need nothing, adapting on ${ENOUGH} costs at most one point with the prior, and with the ` +
        'reference.',
      `${percent(mean(cleanSource))} before; with the prior ${percent(mean(rise(at(prior, ENOUGH))))} more, with the ` +
        `reference ${percent(mean(rise(at(reference, ENOUGH))))} more`,
      rise(at(prior, ENOUGH)).map((value, i) => 0.01 - Math.max(value, rise(at(reference, ENOUGH))[i]!)),
      `It costs ${percent(mean(rise(at(prior, ENOUGH))))} and ${percent(mean(rise(at(reference, ENOUGH))))}.`,
    ),
  ];
}
