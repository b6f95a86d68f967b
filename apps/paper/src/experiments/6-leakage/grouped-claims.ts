// What is compared where groups of one kind leak and mixed groups repair it, and the claims that both experiments share.

import type { Claim } from '@rebatch/findings';
import { differences, listOf } from '../../rows/conditions.ts';
import { decide } from '../../rows/decide.ts';
import { mean, percent, percents } from '../../rows/summary.ts';
import { type GroupedRow, MIXED, OWN, POPULATION } from './grouped-runs.ts';

export type Mixed = keyof typeof MIXED;
export const MIXED_NAMES = Object.keys(MIXED) as Mixed[];

/** By how much a measure exceeds the error in groups as in training; one value per seed. */
export function aboveOwn(rows: readonly GroupedRow[], condition: string, measure: GroupedRow['measure']) {
  return differences(rows, [condition, measure], [condition, OWN]);
}

/**
 * One claim for each way to mix: the error under population statistics is lower than with groups of one kind, in every
 * seed.
 *
 * @param claim of a way to mix.
 * @param least by how much at least, as a share.
 */
export function repairClaims(
  rows: readonly GroupedRow[],
  leaking: string,
  claim: (condition: Mixed) => string,
  least: number,
): Claim[] {
  return MIXED_NAMES.map((condition) => {
    const lower = differences(rows, [leaking, POPULATION], [condition, POPULATION]);
    return decide(
      claim(condition),
      `population ${listOf(rows, [leaking, condition], POPULATION)}; by seed ${percents(lower)} lower`,
      lower.every((by) => by >= least),
      `By seed it is ${percents(lower)} lower.`,
    );
  });
}

/** With mixed groups, population statistics are at most 1 percentage point worse than those of training. */
export function consistencyClaim(rows: readonly GroupedRow[], claim: string): Claim {
  const gaps = MIXED_NAMES.map((name) => [name, mean(aboveOwn(rows, name, POPULATION))] as const);
  const list = gaps.map(([name, gap]) => `${name} ${percent(gap)}`).join('; ');
  return decide(
    claim,
    `population statistics worse by: ${list}`,
    gaps.every(([, gap]) => gap <= 0.01),
    `Not with each of them: ${list}.`,
  );
}
