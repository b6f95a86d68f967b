// Real threads for the tests.
import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { build } from 'vite';
import { afterAll, beforeAll } from 'vitest';
import type { WorkerSetup } from './replica.test.worker.ts';

/** Threads of the tests of a file. */
export interface Threads {
  /** Each serves replicas. A test that ends one puts another one in its place. */
  readonly workers: Worker[];
  /** Starts another worker as the one of that rank. */
  start(rank: number): Worker;
}

/**
 * Starts a worker for each setup before the tests of a file, and ends all after them. The tests of the main thread run on
 * the cpu backend, as the workers do.
 */
export function useThreads(setups: readonly WorkerSetup[]): Threads {
  const workers: Worker[] = [];
  const started: Worker[] = [];
  let folder: string;
  const start = (rank: number) => {
    const worker = new Worker(join(folder, 'worker.mjs'), { workerData: setups[rank] });
    started.push(worker);
    return worker;
  };
  beforeAll(async () => {
    await tf.setBackend('cpu');
    folder = await bundleWorker();
    workers.push(...setups.map((_, rank) => start(rank)));
  });
  afterAll(async () => {
    await Promise.all(started.map((worker) => worker.terminate()));
    await rm(folder, { recursive: true });
  });
  return { workers, start };
}

/** Bundles the worker once for a file: it starts ten times as fast as from single modules. Returns the bundle's folder. */
async function bundleWorker(): Promise<string> {
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
  return folder;
}

/** Fails if something has not come to an end in so many milliseconds: nothing here may hang. */
export async function watched<T>(work: Promise<T>, ms = 90_000): Promise<T> {
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
