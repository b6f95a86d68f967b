// Runs experiments, each seed a job of the pool: those that others need first.

import { availableParallelism } from 'node:os';
import type { Experiment, Result } from '../experiment.ts';
import { codeHash } from './code-hash.ts';
import { jobsOf, type RunChoice, settingsOf } from './job.ts';
import { combineSeeds } from './run.ts';
import { type JobsOptions, type PlannedJob, runJobs } from './run-jobs.ts';
import { duration, type Timings } from './timings.ts';

export interface AllOptions extends JobsOptions {
  /** Default none: all steps count the same. What jobs take is noted there. */
  readonly timings?: Timings;
  /** Told once, before the first job: how many there are, and how long they will take. */
  readonly say?: (what: string) => void;
}

/** What became of the experiments, each in their order. */
export interface AllResults {
  readonly done: readonly { readonly experiment: Experiment; readonly result: Result<unknown> }[];
  /** Those that could not be prepared, which keeps none of the others from running. */
  readonly leftOut: readonly { readonly experiment: Experiment; readonly error: Error }[];
}

/**
 * The results of the experiments. Those that one of them needs run before it, and give no result unless they are asked for.
 *
 * @param known all experiments, among which those that are needed are looked up.
 */
export async function runAll(
  experiments: readonly Experiment[],
  choice: RunChoice,
  options: AllOptions,
  known: readonly Experiment[] = experiments,
): Promise<AllResults> {
  const { ready, leftOut } = await prepareAll(withNeeded(experiments, known), choice, options);
  const planned: PlannedJob[] = [];
  const places = new Map<string, number>();
  for (const experiment of ready) {
    const steps = experiment.steps(settingsOf(experiment, choice));
    for (const job of jobsOf(experiment, choice, await codeHash(experiment.name))) {
      const needed = places.get(`${experiment.needs} ${job.seed}`);
      places.set(`${experiment.name} ${job.seed}`, planned.length);
      const pace = options.timings?.paceOf(experiment, choice);
      const after = needed === undefined ? [] : [needed];
      planned.push({ job, steps, after, ...(pace === undefined ? {} : { pace: pace.seconds }) });
    }
  }
  await announce(planned, ready, choice, options);
  const results = await runJobs(planned, {
    ...options,
    onDone: async ({ experiment: name }, seconds) => {
      const experiment = ready.find((one) => one.name === name)!;
      await options.timings?.note(experiment, choice, seconds);
    },
  });
  const done = ready.flatMap((experiment) => {
    const own = results.filter((_, i) => planned[i]!.job.experiment === experiment.name);
    if (!experiments.includes(experiment)) return [];
    return [{ experiment, result: combineSeeds(experiment, choice, own) }];
  });
  return { done, leftOut: leftOut.filter(({ experiment }) => experiments.includes(experiment)) };
}

/** Says how long the jobs will take that are not in the cache, and how that is known. */
async function announce(
  planned: readonly PlannedJob[],
  experiments: readonly Experiment[],
  choice: RunChoice,
  { timings, say, cache, threads = availableParallelism() }: AllOptions,
): Promise<void> {
  if (timings === undefined || say === undefined) return;
  const known = await Promise.all(planned.map(({ job }) => cache.read(job)));
  const missing = planned.filter((_, i) => known[i] === undefined);
  const seconds = missing.map(({ steps, pace = 1 }) => steps * pace);
  const total = seconds.reduce((sum, own) => sum + own, 0);
  // No job is split, so the longest is the least that all of them take.
  const wall = Math.max(total / threads, ...seconds, 0);
  const guessed = new Set(
    missing.flatMap(({ job }) => {
      const experiment = experiments.find(({ name }) => name === job.experiment)!;
      return timings.paceOf(experiment, choice).here ? [] : [job.experiment];
    }),
  );
  const source =
    guessed.size === 0
      ? 'by what this machine took before'
      : `by what this machine took before, and for ${[...guessed].join(', ')} by the committed results`;
  const cached = planned.length - missing.length;
  const done = cached > 0 ? ` (${cached} more are in the cache)` : '';
  say(`${missing.length} jobs${done} on ${threads} threads: about ${duration(wall)}, ${source}`);
}

/** Those that are needed before the first that needs them, each once; the order of the others stays. */
function withNeeded(experiments: readonly Experiment[], known: readonly Experiment[]): Experiment[] {
  const found = new Set<Experiment>();
  for (const experiment of experiments) {
    const needed = known.find(({ name }) => name === experiment.needs);
    if (experiment.needs !== undefined && needed === undefined) {
      throw new Error(`${experiment.name} needs ${experiment.needs}, and there is no such experiment`);
    }
    if (needed !== undefined) found.add(needed);
    found.add(experiment);
  }
  return [...found];
}

async function prepareAll(
  experiments: readonly Experiment[],
  choice: RunChoice,
  { signal, progress }: JobsOptions,
) {
  const ready: Experiment[] = [];
  const leftOut: AllResults['leftOut'][number][] = [];
  for (const experiment of experiments) {
    try {
      await experiment.prepare?.(settingsOf(experiment, choice), { signal, progress });
      ready.push(experiment);
    } catch (error) {
      signal.throwIfAborted();
      leftOut.push({ experiment, error: error as Error });
    }
  }
  return { ready, leftOut };
}
