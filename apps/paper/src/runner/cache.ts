import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import writeFileAtomic from 'write-file-atomic';
import { type Job, jobKey } from './job.ts';
import type { SeedResult } from './run.ts';

/** Ignored by git. */
export const CACHE_FOLDER = fileURLToPath(new URL('../../.cache/jobs/', import.meta.url));

/** Finished jobs on disk, so that an interrupted run goes on where it was. */
export class JobCache {
  readonly #folder: string;
  readonly #used = new Set<string>();

  constructor(folder: string = CACHE_FOLDER) {
    this.#folder = folder;
  }

  /** What the job gave before; undefined if it never finished. */
  async read(job: Job): Promise<SeedResult | undefined> {
    try {
      return JSON.parse(await readFile(this.#path(job), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whole or not at all: a job that is interrupted here is done again. */
  async write(job: Job, result: SeedResult): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFileAtomic(this.#path(job), JSON.stringify(result));
  }

  /** Forgets what this run read or wrote: its results are whole, and the next run measures again. */
  async forgetUsed(): Promise<void> {
    await Promise.all([...this.#used].map((path) => rm(path, { force: true })));
    this.#used.clear();
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #path(job: Job): string {
    const path = join(this.#folder, `${jobKey(job)}.json`);
    this.#used.add(path);
    return path;
  }
}
