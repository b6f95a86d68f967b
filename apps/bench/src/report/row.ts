// The report's rows: every case there is, measured or not.

import type { Bench, BenchCase } from '../bench.ts';
import { meets, promise } from '../line.ts';
import { lineKey, type MeasuredLine } from './lines-file.ts';

/** A case, and what was measured of it. */
export interface Row {
  readonly bench: string;
  readonly one: BenchCase;
  /** Missing where it was not measured. */
  readonly measured?: MeasuredLine;
}

/** The rows of all benches, in their order, and the lines that belong to no case of theirs. */
export function rowsOf(
  benches: readonly Bench[],
  lines: readonly MeasuredLine[],
): { readonly rows: Row[]; readonly unknown: MeasuredLine[] } {
  const byKey = new Map(lines.map((measured) => [lineKey(measured.line), measured]));
  const rows = benches.flatMap((bench) =>
    bench.cases().map((one): Row => {
      const key = lineKey({ ...one, bench: bench.name });
      const measured = byKey.get(key);
      byKey.delete(key);
      return { bench: bench.name, one, ...(measured && { measured }) };
    }),
  );
  return { rows, unknown: [...byKey.values()] };
}

/** What came of a row's promise; `no promise` where it has made none. */
export type Verdict = 'met' | 'not met' | 'not measured' | 'no promise';

export function verdictOf({ one, measured }: Row): Verdict {
  if (!measured) return 'not measured';
  if (promise(one.target, one.targetMs) === '') return 'no promise';
  // The promise is today's, not that of the day of the measurement.
  const line = { ...measured.line, ...(one.targetMs !== undefined && { target_ms: one.targetMs }) };
  return meets(line, one.target) ? 'met' : 'not met';
}

/** Whether the peer was faster, though nothing in the row says why: neither a note nor a promise that allows for it. */
export function isUnexplained(row: Row): boolean {
  const { one, measured } = row;
  if (measured === undefined || measured.line.ratio >= 1) return false;
  const allowed = one.target !== undefined && one.target < 1 && verdictOf(row) === 'met';
  return !allowed && (one.note ?? measured.line.note) === undefined;
}
