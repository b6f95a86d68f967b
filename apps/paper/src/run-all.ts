// `pnpm paper --all`: every experiment, each seed a job of the pool.
import type { Experiment, Result } from './experiment.ts';
import { codeHash } from './pool/code-hash.ts';
import { jobsOf } from './pool/job.ts';
import { type JobsOptions, runJobs } from './pool/run-jobs.ts';
import { combineSeeds } from './run.ts';

/** The results of the experiments, in their order, the same as each alone would give. */
export async function runAll(
  experiments: readonly Experiment[],
  quick: boolean,
  options: JobsOptions,
): Promise<Result<unknown>[]> {
  const jobs = await Promise.all(
    experiments.map(async (experiment) => jobsOf(experiment, quick, await codeHash(experiment.name))),
  );
  const planned = experiments.flatMap((experiment, i) =>
    jobs[i]!.map((job) => ({ job, steps: experiment.steps(experiment.settings(quick)) })),
  );
  const results = await runJobs(planned, options);
  return experiments.map((experiment, i) => {
    const start = jobs.slice(0, i).reduce((sum, own) => sum + own.length, 0);
    return combineSeeds(experiment, quick, results.slice(start, start + jobs[i]!.length));
  });
}
