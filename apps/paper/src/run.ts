// One experiment in this process, its seeds one after another; and the parts that the pool shares.

import type { Progress } from '@rebatch/npm-files';
import * as tf from '@tensorflow/tfjs-core';
import type { Experiment, Result, SeedContext, SeedSettings } from './experiment.ts';

export interface RunOptions {
  /** A smaller run of the same code, for a first look. */
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What one seed gave. Plain JSON. */
export interface SeedResult<Row = unknown> {
  readonly backend: string;
  readonly rows: readonly Row[];
  readonly seconds: number;
}

/** Runs an experiment on the WASM backend with our kernels, seed by seed. */
export async function runExperiment<Row, Settings extends SeedSettings>(
  experiment: Experiment<Row, Settings>,
  { quick, signal, progress }: RunOptions,
): Promise<Result<Row>> {
  const settings = experiment.settings(quick);
  await experiment.prepare?.(settings, { signal, progress });
  progress.start(settings.seeds.length * experiment.steps(settings), 'loading');
  const results: SeedResult<Row>[] = [];
  try {
    for (const seed of settings.seeds) {
      const advance = (what: string) => progress.advance(what);
      results.push(await runSeed(experiment, seed, settings, { signal, advance }));
    }
  } finally {
    progress.stop();
  }
  return combineSeeds(experiment, quick, results);
}

/** Runs one seed of an experiment on the WASM backend with our kernels. */
export async function runSeed<Row, Settings extends SeedSettings>(
  experiment: Experiment<Row, Settings>,
  seed: number,
  settings: Settings,
  context: SeedContext,
): Promise<SeedResult<Row>> {
  await useWasm();
  const start = performance.now();
  const rows = await experiment.runSeed(seed, settings, context);
  return { backend: tf.getBackend(), rows, seconds: (performance.now() - start) / 1000 };
}

/** The result of all seeds, in the settings' order, with what every result says. */
export function combineSeeds<Row, Settings extends SeedSettings>(
  experiment: Experiment<Row, Settings>,
  quick: boolean,
  results: readonly SeedResult<Row>[],
): Result<Row> {
  const settings = experiment.settings(quick);
  const chosen: object = settings;
  if (results.length === 0 || results.length !== settings.seeds.length) {
    throw new Error(`${experiment.name}: ${results.length} results for ${settings.seeds.length} seeds`);
  }
  const rows = results.flatMap((result) => result.rows);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return {
    experiment: experiment.name,
    section: experiment.section,
    seeds: settings.seeds,
    backend: results[0]!.backend,
    settings: { ...chosen, quick },
    rows,
    claims: experiment.claims(rows),
    seconds: Math.round(seconds * 10) / 10,
  };
}

async function useWasm(): Promise<void> {
  await import('@tensorflow/tfjs-backend-wasm');
  await import('@rebatch/kernels-wasm');
  if (!(await tf.setBackend('wasm')))
    throw new Error('The WASM backend of TensorFlow.js does not start here.');
}
