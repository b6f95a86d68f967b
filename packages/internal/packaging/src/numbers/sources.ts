// What was measured, as the benches and the experiments have committed it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../workspace.ts';

/** A line of `apps/bench/results/lines.jsonl`, of the fields that texts speak of. */
export interface BenchRow {
  readonly bench: string;
  readonly case: string;
  readonly backend: string;
  readonly shape: string;
  readonly peer: string;
  readonly ours_ms: number;
  /** The peer's time divided by ours. */
  readonly ratio: number;
}

const BENCHES: readonly BenchRow[] = readFileSync(join(ROOT, 'apps/bench/results/lines.jsonl'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as BenchRow)
  .filter(({ bench }) => bench !== undefined);

type Fields = Partial<BenchRow> | RegExp;

/** The rows of a bench that have these fields, or such a case; there must be some. */
function rowsOf(bench: string, fields: Fields): readonly BenchRow[] {
  const found = BENCHES.filter((row) => {
    if (row.bench !== bench) return false;
    if (fields instanceof RegExp) return fields.test(row.case);
    return Object.entries(fields).every(([name, value]) => row[name as keyof BenchRow] === value);
  });
  if (found.length === 0) throw new Error(`no row of the bench ${bench} is committed for this`);
  return found;
}

export const ratios = (bench: string, fields: Fields = {}): number[] =>
  rowsOf(bench, fields).map(({ ratio }) => ratio);

/** Our times, in seconds. */
export const seconds = (bench: string, fields: Fields): number[] =>
  rowsOf(bench, fields).map(({ ours_ms }) => ours_ms / 1000);

/** The least and the largest. */
export const range = (values: readonly number[]): number[] => [Math.min(...values), Math.max(...values)];

interface Result {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly claims: readonly { readonly measured: string }[];
}

const resultOf = (experiment: string): Result =>
  JSON.parse(readFileSync(join(ROOT, `apps/paper/results/${experiment}.json`), 'utf8')) as Result;

/** The mean in percent of the rows of an experiment that have these fields, over its seeds. */
export function meanPercent(
  experiment: string,
  field: string,
  fields: Readonly<Record<string, unknown>>,
): number {
  const values = resultOf(experiment)
    .rows.filter((row) => Object.entries(fields).every(([name, value]) => row[name] === value))
    .map((row) => row[field] as number);
  if (values.length === 0) throw new Error(`no row of ${experiment} is committed for this`);
  return (100 * values.reduce((a, b) => a + b, 0)) / values.length;
}

/** The numbers that the groups of `pattern` have in what an experiment says that it measured. */
export function measuredBy(experiment: string, pattern: RegExp): number[] {
  for (const { measured } of resultOf(experiment).claims) {
    const match = pattern.exec(measured);
    if (match) return match.slice(1).map(Number);
  }
  throw new Error(`${experiment} has measured nothing that is like ${pattern}`);
}

/** The kilobytes of the two builds of the WASM kernels, from the base64 that they are committed as. */
export function wasmBuildsKilobytes(): number[] {
  const generated = readFileSync(join(ROOT, 'packages/kernels-wasm/src/module.generated.ts'), 'utf8');
  const bytesOf = (name: string) => {
    const base64 = new RegExp(`export const ${name} =\\s*'([^']+)'`).exec(generated)?.[1];
    if (base64 === undefined) throw new Error(`${name} is not in module.generated.ts`);
    return Buffer.from(base64, 'base64').byteLength;
  };
  return ['PLAIN', 'RELAXED'].map(
    (build) => (bytesOf(`${build}_HEAD`) + bytesOf('IMPORT_PLAIN') + bytesOf(`${build}_TAIL`)) / 1000,
  );
}
