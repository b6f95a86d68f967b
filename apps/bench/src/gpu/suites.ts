// Runs packed suites in Node, without Vitest's server.

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTests } from '@vitest/runner';
import { getTasks, getTestName } from '@vitest/runner/utils';
import { config, expect } from './test-runner.ts';

/** How many tests there were; a suite that could not be loaded, or whose hooks failed, counts as one that failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Runs files that import `./test-runner.ts` in the place of `vitest`, one after another.
 *
 * @param features the folder of the files that `toMatchFileSnapshot` compares with, by their names.
 * @param print is given each failure, in several lines.
 */
export async function runSuites(
  files: readonly string[],
  features: string,
  print: (text: string) => void,
): Promise<Tally> {
  expect.extend({
    async toMatchFileSnapshot(received: unknown, file: string) {
      const expected = await readFile(join(features, basename(file)), 'utf8');
      const message = () => `expected what ${basename(file)} says`;
      return { pass: received === expected, message, actual: received, expected };
    },
  });
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const defaults = { ...config };
  for (const path of files) {
    // A suite may have changed them.
    Object.assign(config, defaults);
    const importFile = (file: string) => import(pathToFileURL(file).href);
    for (const task of getTasks(await startTests([path], { config, importFile }))) {
      const { state, errors = [] } = task.result ?? {};
      if (errors.length > 0 || (task.type === 'test' && state === 'fail')) {
        tally.failed++;
        print(`FAILED ${[getTestName(task, ' > ') || task.name, ...errors.map(explain)].join('\n  ')}`);
      } else if (task.type === 'test') tally[state === 'pass' ? 'passed' : 'skipped']++;
    }
  }
  return tally;
}

interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
}

/** The message, and where it was thrown: the stack of a timeout has another message in its first line. */
function explain({ message, stack = '' }: Failure): string {
  return [message, ...stack.split('\n').filter((line) => /^\s+at /.test(line))].join('\n  ');
}
