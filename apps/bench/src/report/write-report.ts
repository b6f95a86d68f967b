// RESULTS.md, the charts that it shows, and the lines that both are made of.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.ts';
import { ratioChart } from './chart.ts';
import type { MeasuredLine } from './lines-file.ts';
import { renderReport, sectionsOf } from './report.ts';
import { rowsOf } from './row.ts';

/** Where the report goes. */
export const REPORT_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/** What the report is made of; it outlives an interrupted run. */
export const linesFile = (folder: string) => join(folder, 'results', 'lines.jsonl');

/**
 * Writes `RESULTS.md` and `results/*.svg` into the folder, and removes charts of what is there no more.
 *
 * @returns the lines that belong to no case any more; they are not shown.
 */
export async function writeReport(
  benches: readonly Bench[],
  lines: readonly MeasuredLine[],
  folder: string = REPORT_FOLDER,
): Promise<readonly MeasuredLine[]> {
  const { rows, unknown } = rowsOf(benches, lines);
  const sections = sectionsOf(benches, rows);
  const results = join(folder, 'results');
  await mkdir(results, { recursive: true });
  const charted = new Set<string>();
  for (const { title, rows, file } of sections) {
    const svg = ratioChart(rows, `${title}: time of the peer divided by time of ours`);
    if (svg === undefined) continue;
    charted.add(file);
    await writeFile(join(results, `${file}.svg`), svg);
  }
  for (const name of await readdir(results)) {
    if (name.endsWith('.svg') && !charted.has(name.slice(0, -4))) await rm(join(results, name));
  }
  await writeFile(join(folder, 'RESULTS.md'), renderReport(sections, charted));
  return unknown;
}
