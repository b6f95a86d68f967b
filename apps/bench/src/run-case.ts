// Runs one case of a bench, and says what came of it.

import type { Bench, BenchCase } from './bench.ts';
import { type Line, toLine } from './line.ts';
import { InterruptedError, NotMeasuredError } from './unmeasured.ts';

/** What came of a case: a line, the reason why it cannot be measured here, or what went wrong. */
export type Outcome =
  | { readonly line: Line }
  | { readonly notMeasured: string }
  | { readonly failed: unknown };

/** @throws {InterruptedError} (rejects) when the user has interrupted; nothing else ends the run. */
export async function runCase(bench: Pick<Bench, 'name'>, one: BenchCase): Promise<Outcome> {
  try {
    return { line: toLine(bench.name, one, await one.measure()) };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return error instanceof NotMeasuredError ? { notMeasured: error.message } : { failed: error };
  }
}
