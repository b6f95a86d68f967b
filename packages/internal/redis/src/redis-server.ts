// A real Redis for tests, on loopback, with its data in a folder that goes with it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether tests of queues can run here; in CI they have to. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (process.env.CI)
      throw new Error('These tests need redis-server: apt-get install redis-server.', { cause: error });
    console.warn('Tests of queues skipped, no redis-server found: apt-get install redis-server.');
    return false;
  }
}

/** A server that can be stopped and started again. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #dir: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, dir: string) {
    this.#port = port;
    this.#dir = dir;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'rebatch-redis-')));
    await server.start();
    return server;
  }

  /** @param empty whether it has forgotten everything. */
  async start(empty = false): Promise<void> {
    if (empty) await rm(join(this.#dir, 'appendonlydir'), { recursive: true, force: true });
    const args = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#dir];
    const child = spawn(
      'redis-server',
      [...args, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    this.#process = child;
    let said = '';
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.includes('Ready to accept connections')) break;
    }
    if (!said.includes('Ready to accept connections'))
      throw new Error(`redis-server did not start:\n${said}`);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
