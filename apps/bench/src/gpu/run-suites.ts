// Runs the packed suites on WebGPU; prints each failure, and how many tests there were.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDawn } from './dawn.ts';
import { runSuites } from './suites.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<boolean> {
  const { name } = await startDawn();
  print(`suites on ${name}`);
  const folder = join(HERE, 'suites');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mjs')).sort();
  const suites = files.map((file) => join(folder, file));
  const { passed, failed, skipped } = await runSuites(suites, join(HERE, 'features'), print);
  print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 && passed > 0;
}

let good = false;
try {
  good = await main();
} catch (error) {
  print(`FAILED: ${(error as Error).message}`);
}
// WebGPU keeps the process alive.
process.exit(good ? 0 : 1);
