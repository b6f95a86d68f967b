// Workers in processes of their own, bundled once so that they start fast.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where bullmq is found from. */
const BUNDLE = `${ROOT}node_modules/.test-worker`;

/** Workers that serve a Redis, and that can be killed. */
export class WorkerProcesses {
  readonly #url: string;
  readonly alive = new Set<ChildProcess>();
  #ended = false;

  private constructor(url: string) {
    this.#url = url;
  }

  static async build(url: string): Promise<WorkerProcesses> {
    await build({
      ...{ configFile: false, logLevel: 'error', root: ROOT },
      ssr: { noExternal: true, external: ['bullmq'] },
      build: { ssr: 'src/testing/worker.ts', outDir: BUNDLE, minify: false, target: 'node20' },
    });
    return new WorkerProcesses(url);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    if (this.#ended) return;
    const child = fork(`${BUNDLE}/worker.js`, [this.#url], { stdio: 'inherit' });
    await once(child, 'message');
    if (this.#ended) child.kill('SIGKILL');
    else this.alive.add(child);
  }

  /** Kills one; whether there was any. */
  kill(): boolean {
    const [victim] = this.alive;
    if (victim === undefined) return false;
    this.alive.delete(victim);
    return victim.kill('SIGKILL');
  }

  async end(): Promise<void> {
    this.#ended = true;
    while (this.kill());
    await rm(BUNDLE, { recursive: true, force: true });
  }
}
