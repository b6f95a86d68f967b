// Tables and figures of experiments whose conditions have names instead of a number: what was measured under each condition,
// in several seeds.

import type { Table } from '@rebatch/report';
import type { Axis, ConditionsFigure } from '@rebatch/report/figures';
import type { Experiment } from '../experiment.ts';
import { rowsWith, unique } from './rows.ts';
import { deviation, mean, percent, percentSpread } from './summary.ts';

/** What one seed gave for one measure under one condition: a share, 0 to 1. */
export interface ConditionRow {
  readonly seed: number;
  readonly condition: string;
  readonly measure: string;
  readonly value: number;
}

/** One value per seed, in the seeds' order. */
export function valuesOf(rows: readonly ConditionRow[], condition: string, measure: string): number[] {
  return rowsWith(rows, { condition, measure })
    .sort((a, b) => a.seed - b.seed)
    .map((row) => row.value);
}

/** The mean over the seeds. */
export function meanOf(rows: readonly ConditionRow[], condition: string, measure: string): number {
  return mean(valuesOf(rows, condition, measure));
}

/** One measure under several conditions, for a sentence: "some condition 1.23%; another 2.34%". */
export function listOf(
  rows: readonly ConditionRow[],
  conditions: readonly string[],
  measure: string,
): string {
  return conditions
    .map((condition) => `${condition} ${percent(meanOf(rows, condition, measure))}`)
    .join('; ');
}

/** By how much the first exceeds the second, one value per seed. */
export function differences(
  rows: readonly ConditionRow[],
  first: readonly [condition: string, measure: string],
  second: readonly [condition: string, measure: string],
): number[] {
  const others = valuesOf(rows, ...second);
  return valuesOf(rows, ...first).map((value, i) => value - others[i]!);
}

/** A line per condition, a column per measure, in the order in which they first appear; in percent. */
export function conditionTable(
  rows: readonly ConditionRow[],
  corner: string,
  format: (values: readonly number[]) => string = percentSpread,
): Table {
  const measures = unique(rows.map((row) => row.measure));
  return {
    head: [corner, ...measures],
    body: unique(rows.map((row) => row.condition)).map((condition) => [
      condition,
      ...measures.map((measure) => {
        const values = valuesOf(rows, condition, measure);
        return values.length === 0 ? '' : format(values);
      }),
    ]),
  };
}

/** A band per condition; in it a dot per measure at the mean, with a bar of one standard deviation either way. */
export function conditionFigure(rows: readonly ConditionRow[], x: Axis): ConditionsFigure {
  const conditions = unique(rows.map((row) => row.condition));
  const names = unique(rows.map((row) => row.measure));
  const points = conditions.flatMap((condition) =>
    names.flatMap((measure) => {
      const values = valuesOf(rows, condition, measure);
      if (values.length === 0) return [];
      const [center, spread] = [100 * mean(values), 100 * deviation(values)];
      return [{ condition, measure, value: center, low: center - spread, high: center + spread }];
    }),
  );
  return { kind: 'conditions', conditions, names, points, x };
}

/** The table and the one figure of an experiment that measures a single kind of share, such as an error. */
export function tableAndFigure(share: string): Pick<Experiment<ConditionRow>, 'table' | 'figures'> {
  return {
    table: ({ rows }) => conditionTable(rows, `${share} %`),
    figures: (rows) => [conditionFigure(rows, { label: `${share} (%)` })],
  };
}
