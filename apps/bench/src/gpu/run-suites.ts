// Runs the packed suites on WebGPU in Node; prints each failure, and how many tests there were.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startTests, type Test } from '@vitest/runner';
import { startDawn } from './dawn.ts';
// As the suites do, so that there is one of it.
import { config, expect } from './test-runner.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

expect.extend({
  /** Compares with the file of that name among those that were packed. */
  async toMatchFileSnapshot(received: unknown, file: string) {
    const expected = await readFile(join(HERE, 'features', basename(file)), 'utf8');
    return {
      pass: received === expected,
      message: () => `expected what ${basename(file)} says`,
      actual: received,
      expected,
    };
  },
});

const adapter = await startDawn();
console.log(`suites on ${adapter.name}`);
const tally = { passed: 0, failed: 0, skipped: 0 };

function onAfterRunTask(test: Test): void {
  const state = test.result?.state;
  if (state === 'pass') tally.passed++;
  else if (state === 'fail') tally.failed++;
  else tally.skipped++;
  if (state !== 'fail') return;
  console.log(`FAILED ${names(test).join(' > ')}`);
  for (const error of test.result?.errors ?? []) console.log(`  ${error.stack ?? error.message}`);
}

function names(test: Test): string[] {
  const parts = [test.name];
  for (let suite = test.suite; suite?.name; suite = suite.suite) parts.unshift(suite.name);
  return parts;
}

const folder = join(HERE, 'suites');
const suites = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
const defaults = { ...config };
let broken = 0;
for (const suite of suites) {
  Object.assign(config, defaults);
  const [file] = await startTests([join(folder, suite)], {
    config,
    importFile: (path) => import(pathToFileURL(path).href),
    onAfterRunTask,
  });
  // A suite that cannot be loaded, or whose hooks fail, has no failed test.
  for (const error of file?.result?.errors ?? []) {
    broken++;
    console.log(`FAILED ${suite}: ${error.stack ?? error.message}`);
  }
}
console.log(`${tally.passed} passed, ${tally.failed + broken} failed, ${tally.skipped} skipped`);
// WebGPU keeps the process alive.
process.exit(tally.failed + broken > 0 || tally.passed === 0 ? 1 : 0);
