// `pnpm paper`: the paper's experiments, rerun on real data.
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progressBar } from '@rebatch/npm-files';
import { Command } from 'commander';
import type { Experiment, Result } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { JobCache } from './pool/cache.ts';
import { renderChart } from './render/chart.ts';
import { renderReport } from './render/report.ts';
import { renderResult } from './render/terminal.ts';
import { RESULTS_FOLDER, readResult, writeResult } from './results.ts';
import { runExperiment } from './run.ts';
import { runAll } from './run-all.ts';

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly list: boolean;
  readonly all: boolean;
  readonly fresh: boolean;
  readonly report: boolean;
  readonly out?: string;
}

const REPORT_FILE = fileURLToPath(new URL('../RESULTS.md', import.meta.url));

const program = new Command('paper')
  .description('Reruns the experiments of "Rethinking Batch in BatchNorm" on real data, on this machine.')
  .argument('[experiment]', 'which one', 'ema-vs-precise')
  .option('--quick', 'a smaller run of the same code; writes no result unless --out is given', false)
  .option(
    '--json',
    'print the result object (with --all: an array), and nothing else, to standard output',
    false,
  )
  .option('--list', 'list the experiments', false)
  .option('--all', 'rerun all experiments on all cores; goes on where an interrupted run was', false)
  .option('--fresh', 'with --all: do not use what an interrupted run finished', false)
  .option('--report', 'render the committed results as RESULTS.md (with --all: afterwards)', false)
  .option('--out <folder>', 'where to write the results and their charts')
  .action(async (name: string, options: Options) => {
    if (options.list) {
      for (const e of experiments) console.log(`${e.name}  ${e.summary} (Sec. ${e.section})`);
      return;
    }
    if (options.all) await all(options);
    if (options.report) await report();
    if (!options.all && !options.report) await one(name, options);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(`paper: ${error instanceof Error ? error.message : String(error)}`);
  // Not by `exitCode`: a connection that was interrupted may wait a minute to be tried again.
  process.exit(1);
}

async function one(name: string, options: Options): Promise<void> {
  const experiment = experiments.find((e) => e.name === name);
  if (experiment === undefined) {
    return program.error(
      `paper: no experiment '${name}'. There are: ${experiments.map((e) => e.name).join(', ')}.`,
    );
  }
  const result = await runExperiment(experiment, {
    quick: options.quick,
    signal: interruption('interrupted; nothing was written'),
    progress: progressBar(),
  });
  const shown = await writeAndShow(experiment, result, options);
  console.log(options.json ? JSON.stringify(result) : shown);
}

async function all(options: Options): Promise<void> {
  const cache = new JobCache();
  if (options.fresh) await cache.clear();
  const { done, leftOut } = await runAll(experiments, options.quick, {
    cache,
    signal: interruption('interrupted; the same command goes on where it was'),
    progress: progressBar(),
  });
  const shown: string[] = [];
  for (const { experiment, result } of done) {
    shown.push(await writeAndShow(experiment, result, options));
  }
  console.log(options.json ? JSON.stringify(done.map(({ result }) => result)) : shown.join('\n\n'));
  if (leftOut.length === 0) return cache.forgetUsed();
  // What is done stays in the cache: the same command then goes on with what was left out.
  for (const { experiment, error } of leftOut) {
    console.error(`paper: left out ${experiment.name}: ${error.message}`);
  }
  process.exitCode = 1;
}

async function report(): Promise<void> {
  const reported = await Promise.all(experiments.map(async (e) => [e, await readResult(e.name)] as const));
  await writeFile(REPORT_FILE, renderReport(reported));
  console.error(`wrote ${relative(process.cwd(), REPORT_FILE)}`);
}

async function writeAndShow<Row>(experiment: Experiment<Row>, result: Result<Row>, options: Options) {
  // A quick run must not replace the committed full one unasked.
  const folder = options.out ?? (options.quick ? undefined : RESULTS_FOLDER);
  const files =
    folder === undefined ? [] : await writeResult(result, renderChart(experiment, result), folder);
  const written = files.map((file) => `wrote ${relative(process.cwd(), file)}`);
  return [renderResult(experiment, result), ...written].join('\n');
}

function interruption(message: string): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error(message)));
  return abort.signal;
}
