// Jobs on all cores: a pool of worker threads, a cache of what they gave, and one progress display.
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { Progress } from '@rebatch/npm-files';
import { Tinypool } from 'tinypool';
import type { SeedResult } from '../run.ts';
import type { JobCache } from './cache.ts';
import type { Job } from './job.ts';
import type { Task } from './messages.ts';

/** A job with the steps that it will report. */
export interface PlannedJob {
  readonly job: Job;
  readonly steps: number;
}

export interface JobsOptions {
  readonly cache: JobCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Threads; default one per core. */
  readonly threads?: number;
  /** The worker's file, of which the default export runs a {@link Task}. */
  readonly worker?: string;
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
    missing.reduce((sum, { steps }) => sum + steps, 0),
    done > 0 ? `${done} of ${planned.length} jobs from the cache` : 'starting',
  );
  const pool = new Tinypool({ filename: worker, minThreads: 0, maxThreads: threads, isolateWorkers: true });
  try {
    const results = planned.map(async ({ job }, i) => {
      const result = known[i] ?? (await runJob(pool, planned[i]!, progress, signal));
      if (known[i] === undefined) await cache.write(job, result);
      return result;
    });
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
  { job, steps }: PlannedJob,
  progress: Progress,
  signal: AbortSignal,
): Promise<SeedResult> {
  const { port1, port2 } = new MessageChannel();
  let left = steps;
  port1.on('message', (what: string) => {
    left--;
    progress.advance(`${job.experiment}: ${what}`);
  });
  const task: Task = { job, port: port2 };
  try {
    const result: SeedResult = await pool.run(task, { transferList: [port2], signal });
    // The result can overtake the last messages, which closing the port drops.
    progress.advance(`${job.experiment}: seed ${job.seed} done`, left);
    return result;
  } finally {
    port1.close();
  }
}
