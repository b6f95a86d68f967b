// Files of lines as `--json` prints them, each below the machine that it was measured on.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import writeFileAtomic from 'write-file-atomic';
import type { Line } from '../line.ts';
import { type Origin, sameOrigin } from './machine.ts';

/** A line, and where it is from. */
export interface MeasuredLine {
  readonly line: Line;
  readonly origin: Origin;
}

const text = { type: 'string', minLength: 1 };
const positive = { type: 'number', exclusiveMinimum: 0 };

const ajv = new Ajv({ allErrors: true });
const isLine = ajv.compile<Line>({
  type: 'object',
  required: ['bench', 'case', 'backend', 'shape', 'ours_ms', 'peer', 'peer_ms', 'ratio', 'spread'],
  additionalProperties: false,
  properties: {
    ...{ bench: text, case: text, backend: text, shape: text, peer: text, note: text },
    ...{ ours_ms: positive, peer_ms: positive, ratio: positive, target_ms: positive },
    spread: { type: 'array', items: positive, minItems: 2, maxItems: 2 },
    exponents: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
  },
});
const isOrigin = ajv.compile<Origin>({
  type: 'object',
  required: ['machine', 'date'],
  additionalProperties: false,
  properties: {
    machine: {
      type: 'object',
      required: ['cpu', 'cores', 'memory_gb', 'os', 'node'],
      additionalProperties: false,
      properties: { cpu: text, cores: positive, memory_gb: positive, os: text, node: text, gpu: text },
    },
    date: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
  },
});

/**
 * The lines of a file. Those before the first machine in it (as `--json` without `--machine` prints them) are taken as
 * measured on `unnamed`.
 *
 * @throws Error that names the file and the number of the line that is neither.
 */
export function parseLines(content: string, unnamed: Origin, file: string): MeasuredLine[] {
  const lines: MeasuredLine[] = [];
  let origin = unnamed;
  for (const [at, row] of content.split('\n').entries()) {
    if (row.trim() === '') continue;
    const value = parse(row);
    if (isOrigin(value)) origin = value;
    else if (isLine(value)) lines.push({ line: value, origin });
    else throw new Error(`${file}, line ${at + 1}: not what --json prints: ${ajv.errorsText(isLine.errors)}`);
  }
  return lines;
}

function parse(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}

/** As `parseLines`; a file that is not there has no lines. */
export async function readLines(file: string, unnamed: Origin): Promise<MeasuredLine[]> {
  try {
    return parseLines(await readFile(file, 'utf8'), unnamed, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The lines in JSON, each machine once for those that follow. */
export function formatLines(lines: readonly MeasuredLine[]): string {
  let last: Origin | undefined;
  const rows: string[] = [];
  for (const { line, origin } of lines) {
    if (last === undefined || !sameOrigin(last, origin)) rows.push(JSON.stringify(origin));
    last = origin;
    rows.push(JSON.stringify(line));
  }
  return rows.map((row) => `${row}\n`).join('');
}

/** Writes the file whole or not at all. */
export async function writeLines(file: string, lines: readonly MeasuredLine[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, formatLines(lines));
}

/** What tells one case's lines from another's. */
export function lineKey({
  bench,
  ...label
}: Pick<Line, 'bench' | 'case' | 'backend' | 'shape' | 'peer'>): string {
  return JSON.stringify([bench, label.case, label.backend, label.shape, label.peer]);
}

/** All lines, each case's newest alone: a later one takes the place of an earlier one. */
export function mergeLines(lines: readonly MeasuredLine[]): MeasuredLine[] {
  return [...new Map(lines.map((measured) => [lineKey(measured.line), measured])).values()];
}
