// Jobs on all cores: a pool of worker threads, a cache of what they gave, and one progress display.

import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { Progress } from '@rebatch/npm-files';
import { Tinypool } from 'tinypool';
import type { JobCache } from './cache.ts';
import type { Job } from './job.ts';
import type { Task } from './messages.ts';
import type { SeedResult } from './run.ts';

/** A job with the steps that it will report. */
export interface PlannedJob {
  readonly job: Job;
  readonly steps: number;
  /** How long a step is thought to take, in seconds; default 1. */
  readonly pace?: number;
  /** The jobs before this one in the list, by their places, that must be done when it starts. */
  readonly after?: readonly number[];
}

export interface JobsOptions {
  readonly cache: JobCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Threads; default one per core. */
  readonly threads?: number;
  /** The worker's file, of which the default export runs a {@link Task}. */
  readonly worker?: string;
  /** Called with what each job took that was not in the cache, before it counts as done. */
  readonly onDone?: (job: Job, seconds: number) => Promise<void>;
}

const WORKER = fileURLToPath(new URL('../../bin/worker.js', import.meta.url));

/**
 * Runs the jobs that are not in the cache, and returns what all of them gave, in the order of the jobs. Each is cached
 * as soon as it is done, so that a run that fails or is interrupted keeps what it has.
 *
 * @throws (rejects) with the signal's reason, or the first error of a job; the other jobs are stopped.
 */
export async function runJobs(planned: readonly PlannedJob[], options: JobsOptions): Promise<SeedResult[]> {
  const { cache, progress, worker = WORKER, threads = availableParallelism() } = options;
  options.signal.throwIfAborted();
  const known = await Promise.all(planned.map(({ job }) => cache.read(job)));
  const missing = planned.filter((_, i) => known[i] === undefined);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  // One listener per job in the pool is no leak.
  setMaxListeners(0, signal);
  const done = planned.length - missing.length;
  // Cached jobs count as done from the start, and the estimate of the time left is about the others.
  progress.start(
    missing.reduce((sum, { steps, pace = 1 }) => sum + steps * pace, 0),
    done > 0 ? `${done} of ${planned.length} jobs from the cache` : 'starting',
  );
  const pool = new Tinypool({ filename: worker, minThreads: 0, maxThreads: threads, isolateWorkers: true });
  try {
    const results: Promise<SeedResult>[] = [];
    const work = async (one: PlannedJob, found: SeedResult | undefined) => {
      if (found !== undefined) return found;
      await Promise.all((one.after ?? []).map((place) => results[place]));
      const result = await runJob(pool, one, progress, signal);
      await cache.write(one.job, result);
      await options.onDone?.(one.job, result.seconds);
      return result;
    };
    for (const [i, one] of planned.entries()) results.push(work(one, known[i]));
    return await Promise.all(results).catch(async (error: unknown) => {
      stop.abort(error);
      await Promise.allSettled(results);
      options.signal.throwIfAborted();
      throw error;
    });
  } finally {
    progress.stop();
    await pool.destroy();
  }
}

async function runJob(
  pool: Tinypool,
  { job, steps, pace = 1 }: PlannedJob,
  progress: Progress,
  signal: AbortSignal,
): Promise<SeedResult> {
  const { port1, port2 } = new MessageChannel();
  let left = steps;
  port1.on('message', (what: string) => {
    left--;
    progress.advance(`${job.experiment}: ${what}`, pace);
  });
  const task: Task = { job, port: port2 };
  try {
    const result: SeedResult = await pool.run(task, { transferList: [port2], signal });
    // The result can overtake the last messages, which closing the port drops.
    progress.advance(`${job.experiment}: seed ${job.seed} done`, left * pace);
    return result;
  } finally {
    port1.close();
  }
}
