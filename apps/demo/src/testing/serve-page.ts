// Builds the page anew and serves it below a path, as a static host might, for as long as the tests run.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type PreviewServer, preview } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the page is served, with a slash at its end. */
    readonly pageUrl: string;
    /** The folder of the built page. */
    readonly pageFolder: string;
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
  const server = await serveFolder(outDir, 4600);
  project.provide('pageUrl', addressOf(server));
  project.provide('pageFolder', outDir);
  return async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  };
}

/** Serves a built page, at this port or the next one that is free. */
export function serveFolder(outDir: string, port: number): Promise<PreviewServer> {
  return preview({
    root,
    configLoader: 'runner',
    logLevel: 'warn',
    base: '/below/a/path/',
    build: { outDir },
    preview: { port },
  });
}

export const addressOf = (server: PreviewServer): string => server.resolvedUrls?.local[0] as string;
