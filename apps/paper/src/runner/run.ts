// One seed of an experiment, and what the seeds give together.

import * as tf from '@tensorflow/tfjs-core';
import type { Experiment, Result, SeedContext, SeedSettings } from '../experiment.ts';
import { type RunChoice, settingsOf } from './job.ts';

/** What one seed gave. Plain JSON. */
export interface SeedResult<Row = unknown> {
  readonly backend: string;
  readonly rows: readonly Row[];
  readonly seconds: number;
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

/** The result of all seeds of a run, in their order, with what every result says. */
export function combineSeeds<Row, Settings extends SeedSettings>(
  experiment: Experiment<Row, Settings>,
  choice: RunChoice,
  results: readonly SeedResult<Row>[],
): Result<Row> {
  const settings = settingsOf(experiment, choice);
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
    settings: { ...chosen, quick: choice.quick },
    rows,
    claims: experiment.claims(rows),
    seconds: Math.round(seconds * 10) / 10,
  };
}

/** The backend of all experiments, with our kernels. */
export async function useWasm(): Promise<void> {
  await import('@tensorflow/tfjs-backend-wasm');
  await import('@rebatch/kernels-wasm');
  if (!(await tf.setBackend('wasm')))
    throw new Error('The WASM backend of TensorFlow.js does not start here.');
}
