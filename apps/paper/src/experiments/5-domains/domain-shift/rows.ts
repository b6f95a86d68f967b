// What the experiment on shifted domains measures, and its averages.

import { unique } from '../../../rows/rows.ts';
import { mean } from '../../../rows/summary.ts';

/** Errors by the number of target samples; shares of the test digits, 0 to 1. */
export type BySamples = Readonly<Record<number, number>>;

/** All errors of one seed in one target domain. */
export interface Row {
  readonly seed: number;
  /** `'none'`: the target is the source, clean digits. */
  readonly corruption: string;
  /** 1 to 5; 0 for none. */
  readonly severity: number;
  /** Which random draw of target samples. */
  readonly draw: number;
  /** Under the source statistics. */
  readonly source: number;
  /** Under mini-batch statistics at inference. */
  readonly miniBatch: number;
  /** Adapted with prior 0: the target's statistics alone. */
  readonly recomputed: BySamples;
  /** Adapted with the prior. */
  readonly withPrior: BySamples;
}

/** The rows of one corruption at the severities that the claims are about, averaged over them and the seeds. */
export interface Shift {
  readonly corruption: string;
  readonly source: number;
  readonly miniBatch: number;
  readonly recomputed: BySamples;
  readonly withPrior: BySamples;
}

/** Claims are about shifts of this severity and above. */
export const STRONG = 3;

/** The clean domain. */
export const NONE = 'none';

export const isClean = ({ corruption }: Row) => corruption === NONE;
export const isStrong = ({ severity }: Row) => severity >= STRONG;

/** Averages of each corruption over the rows that are kept, in the rows' order. */
export function shiftsOf(rows: readonly Row[], keep: (row: Row) => boolean): Shift[] {
  const names = unique(rows.filter(keep).map(({ corruption }) => corruption));
  return names.map((name) => ({
    ...averageOf(rows.filter((row) => keep(row) && row.corruption === name)),
    corruption: name,
  }));
}

/** The average of rows of any kind. */
export function averageOf(
  rows: readonly Omit<Row, 'seed' | 'severity' | 'draw'>[],
): Omit<Shift, 'corruption'> {
  const bySamples = (read: (row: (typeof rows)[number]) => BySamples): BySamples => {
    const samples = Object.keys(read(rows[0]!)).map(Number);
    return Object.fromEntries(samples.map((n) => [n, mean(rows.map((row) => read(row)[n]!))]));
  };
  return {
    source: mean(rows.map((row) => row.source)),
    miniBatch: mean(rows.map((row) => row.miniBatch)),
    recomputed: bySamples((row) => row.recomputed),
    withPrior: bySamples((row) => row.withPrior),
  };
}
