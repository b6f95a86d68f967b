// `pnpm paper --all`: every experiment, each seed a job of the pool.
import type { Experiment, Result } from './experiment.ts';
import { codeHash } from './pool/code-hash.ts';
import { jobsOf } from './pool/job.ts';
import { type JobsOptions, runJobs } from './pool/run-jobs.ts';
import { combineSeeds } from './run.ts';

/** What became of the experiments, each in their order. */
export interface AllResults {
  readonly done: readonly { readonly experiment: Experiment; readonly result: Result<unknown> }[];
  /** Those that could not be prepared, which keeps none of the others from running. */
  readonly leftOut: readonly { readonly experiment: Experiment; readonly error: Error }[];
}

/** The results of the experiments, the same as each alone would give. */
export async function runAll(
  experiments: readonly Experiment[],
  quick: boolean,
  options: JobsOptions,
): Promise<AllResults> {
  const { ready, leftOut } = await prepareAll(experiments, quick, options);
  const jobs = await Promise.all(
    ready.map(async (experiment) => jobsOf(experiment, quick, await codeHash(experiment.name))),
  );
  const planned = ready.flatMap((experiment, i) =>
    jobs[i]!.map((job) => ({ job, steps: experiment.steps(experiment.settings(quick)) })),
  );
  const results = await runJobs(planned, options);
  const done = ready.map((experiment, i) => {
    const start = jobs.slice(0, i).reduce((sum, own) => sum + own.length, 0);
    const own = results.slice(start, start + jobs[i]!.length);
    return { experiment, result: combineSeeds(experiment, quick, own) };
  });
  return { done, leftOut };
}

async function prepareAll(
  experiments: readonly Experiment[],
  quick: boolean,
  { signal, progress }: JobsOptions,
) {
  const ready: Experiment[] = [];
  const leftOut: AllResults['leftOut'][number][] = [];
  for (const experiment of experiments) {
    try {
      await experiment.prepare?.(experiment.settings(quick), { signal, progress });
      ready.push(experiment);
    } catch (error) {
      signal.throwIfAborted();
      leftOut.push({ experiment, error: error as Error });
    }
  }
  return { ready, leftOut };
}
