// Choosing among measured rows: by their fields, and by seed.

import { mean } from './summary.ts';

/** The values, each once, in the order in which they first appear. */
export function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** The numbers, each once, from the smallest to the largest. */
export function ascending(values: readonly number[]): number[] {
  return unique(values).sort((a, b) => a - b);
}

/** The rows whose fields have these values. */
export function rowsWith<Row extends object>(rows: readonly Row[], fields: Partial<Row>): Row[] {
  const wanted = Object.entries(fields) as [keyof Row, unknown][];
  return rows.filter((row) => wanted.every(([name, value]) => row[name] === value));
}

/** The rows of each seed, in the order in which seeds first appear. */
export function bySeed<Row extends { readonly seed: number }>(rows: readonly Row[]): Row[][] {
  return unique(rows.map(({ seed }) => seed)).map((seed) => rows.filter((row) => row.seed === seed));
}

/**
 * The mean error of the rows whose fields have these values.
 *
 * @throws RangeError if there are no such rows.
 */
export function errorWith<Row extends { readonly error: number }>(
  rows: readonly Row[],
  fields: Partial<Row>,
): number {
  return mean(rowsWith(rows, fields).map(({ error }) => error));
}
