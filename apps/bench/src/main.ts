// The command line: which benches to run, and how to print them. With --json, standard output has the lines alone.

import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import type { Bench, BenchCase } from './bench.ts';
import { type Line, meets, promise, tableHeader, tableRow } from './line.ts';
import { BENCHES } from './registry.ts';
import { type MeasuredLine, mergeLines, parseLines, readLines, writeLines } from './report/lines-file.ts';
import { thisOrigin } from './report/machine.ts';
import { linesFile, REPORT_FOLDER, writeReport } from './report/write-report.ts';
import { runCase } from './run-case.ts';

interface Flags {
  readonly json?: boolean;
  readonly machine?: boolean;
  readonly list?: boolean;
  readonly check?: boolean;
  readonly case?: string;
  readonly report?: boolean;
  readonly from?: readonly string[];
  readonly out: string;
}

const print = (text: string) => process.stdout.write(`${text}\n`);

const program = new Command('bench')
  .description('Ours against its peers, measured in pairs within one process.')
  .argument('[name]', `which bench to run: ${Object.keys(BENCHES).join(', ')} (default: all)`)
  .option('--json', 'print one JSON object per case, and nothing else, to standard output')
  .option('--machine', 'with --json: say first on which machine, in an object of its own')
  .option('--case <text>', 'run only the cases whose name or shape contains the text')
  .option('--check', 'exit with 1 when a case misses its target')
  .option('--report', 'render what was measured, now and before, as RESULTS.md with its charts')
  .option('--from <file...>', 'with --report: run nothing, and take the lines of earlier runs with --json')
  .option('--out <folder>', 'with --report: where to keep the lines and write the report', REPORT_FOLDER)
  .addOption(new Option('--list', 'print the benches and their cases, without running them'))
  .action(main);

async function main(name: string | undefined, flags: Flags): Promise<void> {
  if (name !== undefined && !Object.hasOwn(BENCHES, name)) {
    program.error(`error: no bench is named '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
  }
  if (flags.from && !flags.report) program.error('error: --from is for --report');
  // Libraries that greet on the console must not mix with the lines.
  console.log = console.info = console.error;
  // Lines of earlier runs are rendered without any of the libraries that benches load.
  if (flags.from) return report([], flags);
  const benches = await Promise.all((name === undefined ? Object.keys(BENCHES) : [name]).map(load));
  const selected = select(benches, flags.case?.toLowerCase() ?? '');
  if (flags.list) list(benches, selected);
  else if (flags.report) await report(selected, flags);
  else await run(selected, flags);
}

const load = (name: string) => BENCHES[name]!();

interface Selected {
  readonly bench: Bench;
  readonly one: BenchCase;
}

function select(benches: readonly Bench[], wanted: string): Selected[] {
  const selected = benches.flatMap((bench) => bench.cases().map((one) => ({ bench, one })));
  const matching = selected.filter(({ one }) => `${one.case} ${one.shape}`.toLowerCase().includes(wanted));
  if (matching.length === 0) program.error(`error: no case matches '${wanted}'; try --list`);
  return matching;
}

function list(benches: readonly Bench[], selected: readonly Selected[]): void {
  for (const bench of benches) {
    print(`${bench.name}: ${bench.summary}`);
    for (const { one } of selected.filter((each) => each.bench === bench)) {
      const promised = promise(one.target, one.targetMs);
      const target = promised && ` (${promised})`;
      print(`  ${one.case}, ${one.backend}, ${one.shape}, against ${one.peer}${target}`);
    }
  }
}

/** Prints each line as it comes. */
async function run(selected: readonly Selected[], { json, machine, check }: Flags): Promise<void> {
  if (!json) print(tableHeader());
  else if (machine) print(JSON.stringify(thisOrigin()));
  let missed = 0;
  for (const { bench, one } of selected) {
    const line = await measured(bench, one);
    if (line) print(json ? JSON.stringify(line) : tableRow(line, one.target));
    if (line && !meets(line, one.target)) missed++;
  }
  if (missed > 0) {
    console.error(`${missed} ${missed === 1 ? 'case misses its' : 'cases miss their'} target.`);
    if (check) process.exitCode = 1;
  }
}

/** Keeps each line as it comes, so that an interrupted run can go on bench by bench; then renders all there are. */
async function report(selected: readonly Selected[], { from, out }: Flags): Promise<void> {
  const here = thisOrigin();
  let lines = await readLines(linesFile(out), here);
  const keep = async (more: readonly MeasuredLine[]) => {
    lines = mergeLines([...lines, ...more]);
    await writeLines(linesFile(out), lines);
  };
  if (from) {
    for (const file of from) await keep(await linesOf(file));
  } else {
    for (const { bench, one } of selected) {
      const line = await measured(bench, one);
      if (line) await keep([{ line, origin: here }]);
      if (line) console.error(tableRow(line, one.target));
    }
  }
  const all = await Promise.all(Object.keys(BENCHES).map(load));
  const unknown = await writeReport(all, lines, out);
  for (const { line } of unknown) {
    console.error(`left out, for it is no case any more: ${line.bench}, ${line.case}, ${line.shape}`);
  }
  console.error(`wrote ${relative(process.cwd(), join(out, 'RESULTS.md'))}`);
}

/** The lines of a file that `--json` has printed; without `--machine`, they are taken as this machine's. */
async function linesOf(file: string): Promise<MeasuredLine[]> {
  const [content, { mtime }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
  return parseLines(content, thisOrigin(mtime), file);
}

/** A case that fails is reported, and the others still run; one that cannot be measured here is no failure. */
async function measured(bench: Bench, one: BenchCase): Promise<Line | undefined> {
  const outcome = await runCase(bench, one);
  if ('line' in outcome) return outcome.line;
  const what = `${bench.name}, ${one.case}, ${one.shape}`;
  if ('notMeasured' in outcome) {
    console.error(`${what}: not measured: ${outcome.notMeasured}`);
  } else {
    console.error(`${what}:`, outcome.failed);
    process.exitCode = 1;
  }
  return undefined;
}

try {
  await program.parseAsync();
} catch (error) {
  // Left to Node, the WASM backend's own handler would print its whole source first.
  program.error(`error: ${error instanceof Error ? error.message : error}`);
}
