// What is measured on corrupted photographs, and its averages by seed.

import { bySeed, unique } from '../../../rows/rows.ts';
import { mean } from '../../../rows/summary.ts';

/** Ways to new statistics from so many target photographs. */
export const WAYS = ['plain', 'prior', 'reference'] as const;
export type Way = (typeof WAYS)[number];

/** Errors by the number of target photographs; shares of the test photographs, 0 to 1. */
export type BySamples = Readonly<Record<number, number>>;

/** All errors of one seed in one target domain. */
export interface Row extends Readonly<Record<Way, BySamples>> {
  readonly seed: number;
  /** `'none'`: clean photographs. */
  readonly corruption: string;
  /** 1 to 5; 0 for none. */
  readonly severity: number;
  /** Under the source statistics. */
  readonly source: number;
  /** Under those of each mini-batch. */
  readonly miniBatch: number;
}

export const NONE = 'none';
/** Claims are about shifts of this severity and above. */
export const STRONG = 3;

export const isClean = ({ corruption }: Row) => corruption === NONE;
export const isStrong = ({ severity }: Row) => severity >= STRONG;

export function samplesOf(rows: readonly Row[]): number[] {
  return Object.keys(rows[0]!.plain).map(Number);
}

export function corruptionsOf(rows: readonly Row[]): string[] {
  return unique(rows.filter((row) => !isClean(row)).map(({ corruption }) => corruption));
}

/** One value per seed: the average over the rows that are kept. */
export function perSeed(
  rows: readonly Row[],
  keep: (row: Row) => boolean,
  read: (row: Row) => number,
): number[] {
  return bySeed(rows.filter(keep)).map((own) => mean(own.map(read)));
}
