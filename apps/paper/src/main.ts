// `pnpm paper`: the paper's experiments, rerun on real data.
import { relative } from 'node:path';
import { Command } from 'commander';
import type { Experiment, Result } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { progressBar } from './progress.ts';
import { renderTable } from './render/table.ts';
import { RESULTS_FOLDER, writeResult } from './results.ts';
import { runExperiment } from './run.ts';

const program = new Command('paper')
  .description('Reruns an experiment of "Rethinking Batch in BatchNorm" on real data, on this machine.')
  .argument('[experiment]', 'which one', 'ema-vs-precise')
  .option('--quick', 'a smaller run of the same code; writes no result unless --out is given', false)
  .option('--json', 'print the result object, and nothing else, to standard output', false)
  .option('--list', 'list the experiments', false)
  .option('--out <folder>', 'where to write the result and its chart')
  .action(async (name: string, options: { quick: boolean; json: boolean; list: boolean; out?: string }) => {
    if (options.list) {
      for (const e of experiments) console.log(`${e.name}  ${e.summary} (Sec. ${e.section})`);
      return;
    }
    const experiment = experiments.find((e) => e.name === name);
    if (experiment === undefined) {
      return program.error(
        `paper: no experiment '${name}'. There are: ${experiments.map((e) => e.name).join(', ')}.`,
      );
    }
    const abort = new AbortController();
    process.once('SIGINT', () => abort.abort(new Error('interrupted; nothing was written')));
    const result = await runExperiment(experiment, {
      quick: options.quick,
      signal: abort.signal,
      progress: progressBar(),
    });
    // A quick run must not replace the committed full one unasked.
    const folder = options.out ?? (options.quick ? undefined : RESULTS_FOLDER);
    const files = folder === undefined ? [] : await writeResult(result, experiment.chart(result), folder);
    if (options.json) console.log(JSON.stringify(result));
    else console.log(report(experiment, result, files));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(`paper: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function report<Row>(experiment: Experiment<Row>, result: Result<Row>, files: readonly string[]): string {
  const claims = result.claims.map(({ claim, measured, holds, why }) =>
    [
      `${holds ? '✔ holds' : '✘ does not hold'}: ${claim}`,
      `  ${measured}`,
      ...(why ? [`  ${why}`] : []),
    ].join('\n'),
  );
  const written = files.map((file) => `wrote ${relative(process.cwd(), file)}`);
  return [
    `${result.experiment} (Sec. ${result.section}), ${result.backend}, ${result.seconds} s`,
    renderTable(experiment.table(result)),
    ...claims,
    ...written,
  ].join('\n');
}
