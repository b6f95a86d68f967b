// Real threads for the tests: the worker is bundled once, because that starts ten times as fast as single modules do.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'vite';
import type { WorkerSetup } from './replica.test.worker.ts';

export interface Threads {
  /** Starts a worker that serves replicas. */
  start(setup?: WorkerSetup): Worker;
  /** Ends all workers and deletes the bundle. */
  close(): Promise<void>;
}

export async function bundleThreads(): Promise<Threads> {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-replicas-'));
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: fileURLToPath(new URL('./replica.test.worker.ts', import.meta.url)),
      outDir: folder,
      rollupOptions: { output: { entryFileNames: 'worker.mjs' } },
    },
  });
  const workers = new Set<Worker>();
  return {
    start: (setup = {}) => {
      const worker = new Worker(join(folder, 'worker.mjs'), { workerData: setup });
      workers.add(worker);
      return worker;
    },
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.terminate()));
      await rm(folder, { recursive: true });
    },
  };
}

/** Fails if something has not come to an end in so many milliseconds: nothing here may hang. */
export async function watched<T>(work: Promise<T>, ms = 20_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const dog = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: nothing came of it in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, dog]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks a worker that the tests started; see the worker's file for what it answers. */
export function ask(worker: Worker, question: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listener = (answer: { answer?: unknown } | undefined) => {
      if (answer === null || typeof answer !== 'object' || !('answer' in answer)) return;
      worker.off('message', listener);
      worker.off('error', reject);
      resolve(answer.answer);
    };
    worker.on('message', listener);
    worker.on('error', reject);
    worker.postMessage({ question });
  });
}
