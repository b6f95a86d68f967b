// The command "pnpm test:node24": the suites that relaxed SIMD or a newer V8 could change, in Node 24.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progressBar } from '@rebatch/npm-files';
import { fetchRuntime } from '../src/runtimes.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const SUITES = ['packages/kernels-wasm/', 'packages/kernels-cpu/', 'packages/recalibrate/'];
/** Nothing else runs meanwhile; and what the compiler of the kernels makes is the same in every Node. */
const OPTIONS = ['--maxWorkers=2', '--testNamePattern=^(?!.*what the sources in assembly/ compile to)'];

if (Number(process.versions.node.split('.')[0]) < 24) {
  const node = await fetched();
  if (node !== undefined) process.exitCode = await run(node);
}

async function fetched(): Promise<string | undefined> {
  try {
    return await fetchRuntime('node24', { signal: new AbortController().signal, progress: progressBar() });
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`Tests in Node 24 skipped: ${(error as Error).message}`);
    return undefined;
  }
}

async function run(node: string): Promise<number> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  console.log('In Node 24:');
  const args = [vitest, 'run', '--project', 'node*', ...OPTIONS, ...SUITES];
  const child = spawn(node, args, { cwd: ROOT, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
