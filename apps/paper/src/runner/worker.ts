// Runs one job at a time in a thread of its own, with its own TensorFlow.js and WASM memory.

import { experiments } from '../experiments/index.ts';
import type { Task } from './messages.ts';
import { runSeed, type SeedResult } from './run.ts';

/** Called by the pool. Interrupting a job ends its thread, so it needs no signal of its own. */
export default async function work({ job, port }: Task): Promise<SeedResult> {
  const experiment = experiments.find(({ name }) => name === job.experiment);
  if (experiment === undefined) throw new Error(`worker: no experiment '${job.experiment}'`);
  try {
    return await runSeed(experiment, job.seed, job.settings, {
      signal: new AbortController().signal,
      advance: (what) => port.postMessage(what),
    });
  } finally {
    port.close();
  }
}
