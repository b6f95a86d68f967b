// Commands in processes of their own, bundled once so that they start fast.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where what is not bundled is found from; of this process, as another one may run other tests with it. */
const BUNDLE = `${ROOT}node_modules/.test-commands-${process.pid}`;

/** Makes the bundle. @returns what removes it. */
export async function bundleCommand(): Promise<() => Promise<void>> {
  await build({
    ...{ configFile: false, logLevel: 'error', root: ROOT },
    ssr: {
      noExternal: true,
      external: ['bullmq', 'sharp', 'linkedom', '@tensorflow/tfjs-backend-wasm', 'tinypool'],
    },
    build: {
      ...{ ssr: true, outDir: `${BUNDLE}/dist`, minify: false, target: 'node20' },
      rollupOptions: {
        input: { killable: `${ROOT}src/testing/killable.ts`, worker: `${ROOT}src/workers/worker.ts` },
        // Threads are looked for beside what starts them.
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
      },
    },
  });
  // The command reads its version there.
  await copyFile(`${ROOT}package.json`, `${BUNDLE}/package.json`);
  return () => rm(BUNDLE, { recursive: true, force: true });
}

/** How a process ended. */
export interface Ended {
  readonly killed: boolean;
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** From where it began, all loaded, to its end. */
  readonly milliseconds: number;
}

/**
 * Runs a command.
 *
 * @param doom begun when the command has begun; when it resolves, the command is killed if it still runs. `signal` ends the wait.
 */
export async function runProcess(
  args: readonly string[],
  doom?: (signal: AbortSignal) => Promise<void>,
): Promise<Ended> {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child: ChildProcess = fork(`${BUNDLE}/dist/killable.js`, args, { stdio: [...stdio] });
  let [out, err] = ['', ''];
  child.stdout!.on('data', (text) => {
    out += text;
  });
  child.stderr!.on('data', (text) => {
    err += text;
  });
  const end = once(child, 'close');
  await Promise.race([once(child, 'message'), end]);
  const begun = performance.now();
  const ended = new AbortController();
  const doomed = doom?.(ended.signal).then(
    () => child.kill('SIGKILL'),
    // It ended first.
    (error) => expect(error.name).toBe('AbortError'),
  );
  const [code, signal] = (await end) as [number | null, string | null];
  ended.abort();
  await doomed;
  return { killed: signal === 'SIGKILL', code, out, err, milliseconds: performance.now() - begun };
}

/** Resolves after so many milliseconds. */
export const afterTime = (milliseconds: number) => (signal: AbortSignal) =>
  sleep(milliseconds, undefined, { signal });

/** Resolves when a file was seen to be written so many times, however long that takes. */
export const afterWrites = (path: string, count: number) => async (signal: AbortSignal) => {
  const state = () => {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return `${stats?.ino} ${stats?.mtimeNs}`;
  };
  let last = state();
  for (let seen = 0; seen < count; ) {
    await sleep(1, undefined, { signal });
    const now = state();
    if (now !== last) seen += 1;
    last = now;
  }
};
