// Builds the page anew and serves it below a path, as a static host might, for as long as the tests run.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { preview } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the page is served, with a slash at its end. */
    readonly pageUrl: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');

export default async function servePage(project: TestProject): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), 'rebatch-page-'));
  // In a process of its own: this one's environment says that it is a test, and the page would be built as one.
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--configLoader', 'runner', '--outDir', outDir, '--emptyOutDir'],
    { cwd: root, env: { ...process.env, NODE_ENV: 'production' } },
  );
  const server = await preview({
    root,
    configLoader: 'runner',
    logLevel: 'warn',
    base: '/below/a/path/',
    build: { outDir },
    preview: { port: 4600 },
  });
  project.provide('pageUrl', server.resolvedUrls?.local[0] as string);
  return async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  };
}
