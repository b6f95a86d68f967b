// The command line: which benches to run, and how to print them. With --json, standard output has the lines alone.

import { Command, Option } from 'commander';
import type { BenchCase } from './bench.ts';
import { type Line, meets, promise, tableHeader, tableRow, toLine } from './line.ts';
import { BENCHES } from './registry.ts';
import { InterruptedError, NotMeasuredError } from './unmeasured.ts';

interface Flags {
  readonly json?: boolean;
  readonly list?: boolean;
  readonly check?: boolean;
  readonly case?: string;
}

const program = new Command('bench')
  .description('Ours against its peers, measured in pairs within one process.')
  .argument('[name]', `which bench to run: ${Object.keys(BENCHES).join(', ')} (default: all)`)
  .option('--json', 'print one JSON object per case, and nothing else, to standard output')
  .option('--case <text>', 'run only the cases whose name or shape contains the text')
  .option('--check', 'exit with 1 when a case misses its target')
  .addOption(new Option('--list', 'print the benches and their cases, without running them'))
  .action(run);

async function run(name: string | undefined, flags: Flags): Promise<void> {
  if (name !== undefined && !Object.hasOwn(BENCHES, name)) {
    program.error(`error: no bench is named '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
  }
  const print = (text: string) => process.stdout.write(`${text}\n`);
  // Libraries that greet on the console must not mix with the lines.
  console.log = console.info = console.error;
  const names = name === undefined ? Object.keys(BENCHES) : [name];
  let selected = 0;
  let missed = 0;
  for (const benchName of names) {
    const bench = await BENCHES[benchName]!();
    const wanted = flags.case?.toLowerCase() ?? '';
    const cases = bench.cases().filter((one) => `${one.case} ${one.shape}`.toLowerCase().includes(wanted));
    if (flags.list) print(`${bench.name}: ${bench.summary}`);
    for (const one of cases) {
      if (flags.list) {
        const promised = promise(one.target, one.targetMs);
        const target = promised && ` (${promised})`;
        print(`  ${one.case}, ${one.backend}, ${one.shape}, against ${one.peer}${target}`);
      } else {
        if (selected === 0 && !flags.json) print(tableHeader());
        const line = await lineOf(bench.name, one);
        if (line) print(flags.json ? JSON.stringify(line) : tableRow(line, one.target));
        if (line && !meets(line, one.target)) missed++;
      }
      selected++;
    }
  }
  if (selected === 0) program.error(`error: no case matches '${flags.case}'; try --list`);
  if (missed > 0 && !flags.list) {
    console.error(`${missed} ${missed === 1 ? 'case misses its' : 'cases miss their'} target.`);
    if (flags.check) process.exitCode = 1;
  }
}

/** A case that throws is reported, and the others still run; one that cannot be measured here is no failure. */
async function lineOf(bench: string, one: BenchCase): Promise<Line | undefined> {
  try {
    return toLine(bench, one, await one.measure());
  } catch (error) {
    if (error instanceof InterruptedError) program.error(`bench: ${error.message}`);
    if (error instanceof NotMeasuredError) {
      console.error(`${bench}, ${one.case}, ${one.shape}: not measured: ${error.message}`);
      return undefined;
    }
    // Left to Node, the WASM backend's own handler would print its whole source first.
    console.error(`${bench}, ${one.case}:`, error);
    process.exitCode = 1;
    return undefined;
  }
}

await program.parseAsync();
