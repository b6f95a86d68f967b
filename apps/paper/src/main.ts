// `pnpm paper`: the paper's experiments, rerun on real data.

import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FINDINGS_FILE, writeFindings } from '@rebatch/findings/file';
import { progressBar } from '@rebatch/npm-files';
import { Command, InvalidArgumentError } from 'commander';
import { checkTorch } from './against/check-torch.ts';
import { AGAINST_PAGE, readFvcore, readTorch, writeTorch } from './against/files.ts';
import { renderAgainst } from './against/page.ts';
import { verdictsOf } from './against/verdicts.ts';
import type { Experiment, Result } from './experiment.ts';
import { experiments, quickExperiments } from './experiments/index.ts';
import { CLEAN, cleanNetwork } from './photographs/clean-network.ts';
import { loadPhotographs, preparePhotographs } from './photographs/data.ts';
import { exportNetwork } from './photographs/export-network.ts';
import { stepsOf } from './photographs/photograph-training.ts';
import { renderChart } from './report/chart.ts';
import { findingOf } from './report/findings.ts';
import { renderReport } from './report/report.ts';
import { renderSummary } from './report/summary/summary.ts';
import { renderResult } from './report/terminal.ts';
import { percent } from './rows/summary.ts';
import { JobCache } from './runner/cache.ts';
import { joinResults } from './runner/join-results.ts';
import { RESULTS_FOLDER, readResult, readResults, writeResult } from './runner/result-files.ts';
import { useWasm } from './runner/run.ts';
import { runAll } from './runner/run-all.ts';
import { Timings } from './runner/timings.ts';
import { errorRate } from './training/network.ts';

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly list: boolean;
  readonly all: boolean;
  readonly fresh: boolean;
  readonly report: boolean;
  readonly checkTorch: boolean;
  readonly exportNetwork?: number;
  readonly join?: string;
  readonly out?: string;
  readonly seeds?: readonly number[];
  readonly threads?: number;
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
  .option('--all', 'rerun all experiments', false)
  .option('--seeds <list>', 'other seeds than the experiment’s own, such as 1,2', positiveIntegers)
  .option('--threads <count>', 'how many seeds run side by side; default one per core', positiveInteger)
  .option('--fresh', 'do not use what an interrupted run finished', false)
  .option(
    '--report',
    'render the committed results as RESULTS.md, and for the demo (with --all: afterwards)',
    false,
  )
  .option('--check-torch', 'train a network here and in PyTorch, and compare; with --report: keep it', false)
  .option(
    '--export-network <seed>',
    'write the network of cifar10-clean-network to --out, its weights in float16',
    positiveInteger,
  )
  .option('--join <folder>', 'add the seeds of a result in that folder, as --seeds and --out left it')
  .option('--out <folder>', 'where to write the results and their charts')
  .action(async (name: string, options: Options) => {
    if (options.list) {
      for (const e of experiments) console.log(`${e.name}  ${e.summary} (Sec. ${e.section})`);
      return;
    }
    if (options.checkTorch) await compareWithTorch(options);
    else if (options.exportNetwork !== undefined) await exportClean(options.exportNetwork, options);
    else if (options.join !== undefined) await join(named(name), options.join, options);
    else if (options.all) await run(options.quick ? quickExperiments : experiments, options);
    else if (!options.report) await run([named(name)], options);
    if (options.report) await report();
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(`paper: ${error instanceof Error ? error.message : String(error)}`);
  // Not by `exitCode`: a connection that was interrupted may wait a minute to be tried again.
  process.exit(1);
}

/** The experiments of a name, or all of them: as jobs on all cores. */
async function run(chosen: readonly Experiment[], options: Options): Promise<void> {
  const cache = new JobCache();
  if (options.fresh) await cache.clear();
  const choice = { quick: options.quick, ...(options.seeds === undefined ? {} : { seeds: options.seeds }) };
  const { done, leftOut } = await runAll(
    chosen,
    choice,
    {
      cache,
      signal: interruption('interrupted; the same command goes on where it was'),
      progress: progressBar(),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      timings: await Timings.load(experiments),
      say: (what) => console.error(`paper: ${what}`),
    },
    experiments,
  );
  const shown: string[] = [];
  for (const { experiment, result } of done) {
    shown.push(await writeAndShow(experiment, result, options));
  }
  const results = done.map(({ result }) => result);
  console.log(options.json ? JSON.stringify(options.all ? results : results[0]) : shown.join('\n\n'));
  if (leftOut.length === 0) return cache.forgetUsed();
  // What is done stays in the cache: the same command then goes on with what was left out.
  for (const { experiment, error } of leftOut) {
    console.error(`paper: left out ${experiment.name}: ${error.message}`);
  }
  process.exitCode = 1;
}

function named(name: string): Experiment {
  const experiment = experiments.find((e) => e.name === name);
  if (experiment !== undefined) return experiment;
  return program.error(
    `paper: no experiment '${name}'. There are: ${experiments.map((e) => e.name).join(', ')}.`,
  );
}

/** The committed result with the seeds of another one, in its place. */
async function join(experiment: Experiment, folder: string, options: Options): Promise<void> {
  const [first, second] = [await readResult(experiment.name), await readResult(experiment.name, folder)];
  console.log(await writeAndShow(experiment, joinResults(experiment, first, second), options));
}

/** The network of a seed, trained first if it is not there, with its validation error in the file. */
async function exportClean(seed: number, { out }: Options): Promise<void> {
  if (out === undefined) return program.error('paper: --export-network needs --out <folder>');
  await useWasm();
  const { signal, progress } = { signal: interruption('interrupted'), progress: progressBar() };
  await preparePhotographs(undefined, { signal, progress });
  const photographs = await loadPhotographs(signal);
  progress.start(stepsOf(CLEAN, photographs.training.size), 'training');
  const { model } = await cleanNetwork(seed, CLEAN, photographs, {
    signal,
    advance: (what) => progress.advance(what),
  });
  progress.stop();
  const validationError = await errorRate(model, photographs.validation, 250);
  await exportNetwork(model, out, { seed, settings: CLEAN, validationError });
  console.log(`wrote ${relative(process.cwd(), out)}: validation error ${percent(validationError)}`);
}

/** Fails where PyTorch comes to something else. */
async function compareWithTorch(options: Options): Promise<void> {
  await useWasm();
  const check = await checkTorch(interruption('interrupted; nothing was written'));
  const verdicts = verdictsOf(check);
  for (const { what, measured, most, holds } of verdicts) {
    console.log(
      `${holds ? '✔' : '✘'} ${what}: ${measured.toExponential(1)}, at most ${most.toExponential(0)}`,
    );
  }
  if (options.report) await writeTorch(check);
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

/** What is committed beside the results: the report, and what others show of it. */
async function report(): Promise<void> {
  const reported = await readResults(experiments);
  await writeFile(REPORT_FILE, renderReport(reported, renderSummary(reported)));
  const run = reported.flatMap(([experiment, result]) => (result ? [findingOf(experiment, result)] : []));
  await writeFindings(run);
  await writeFile(AGAINST_PAGE, renderAgainst(await readFvcore(), await readTorch()));
  for (const file of [REPORT_FILE, FINDINGS_FILE, AGAINST_PAGE])
    console.error(`wrote ${relative(process.cwd(), file)}`);
}

async function writeAndShow<Row>(experiment: Experiment<Row>, result: Result<Row>, options: Options) {
  // A quick run must not replace the committed full one unasked.
  const folder = options.out ?? (options.quick ? undefined : RESULTS_FOLDER);
  const files =
    folder === undefined ? [] : await writeResult(result, renderChart(experiment, result), folder);
  const written = files.map((file) => `wrote ${relative(process.cwd(), file)}`);
  return [renderResult(experiment, result), ...written].join('\n');
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1');
  return Number(text);
}

function positiveIntegers(text: string): number[] {
  return text.split(',').map(positiveInteger);
}

function interruption(message: string): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error(message)));
  return abort.signal;
}
