// In a process of its own, for two runners in one would share their state.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** What the suites come to, and what is printed. Each may use what `./test-runner.ts` exports. */
async function run(suites: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'features'));
  await writeFile(join(folder, 'features', 'loom.json'), '{"fused": true}');
  const api = 'afterEach, beforeAll, beforeEach, describe, expect, it, test, vi';
  for (const [name, code] of Object.entries(suites)) {
    await writeFile(
      join(folder, name),
      `import { ${api} } from ${JSON.stringify(`${HERE}test-runner.ts`)};\n${code}`,
    );
  }
  const program = `
    const { runSuites } = await import(${JSON.stringify(`${HERE}suites.ts`)});
    const printed = [];
    const files = ${JSON.stringify(Object.keys(suites).map((name) => join(folder, name)))};
    const tally = await runSuites(files, ${JSON.stringify(join(folder, 'features'))}, (text) => printed.push(text));
    console.log(JSON.stringify({ tally, printed }));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: HERE });
  return JSON.parse(stdout) as {
    tally: { passed: number; failed: number; skipped: number };
    printed: string[];
  };
}

test('tests pass and fail by Vitest’s assertions, in tables, with hooks and spies', async () => {
  const { tally, printed } = await run({
    'one.mjs': `
      const log = [];
      beforeAll(() => { log.push('all'); });
      beforeEach(({ skip }) => { log.push('each'); if (log.length > 5) skip('enough'); });
      afterEach(() => { vi.restoreAllMocks(); });
      describe.each([{ n: 1 }, { n: 2 }])('n = $n', ({ n }) => {
        test('is positive', () => { expect(n, 'n').toBeGreaterThan(0); });
      });
      test('is not itself', async () => { await expect(Promise.resolve({ a: 1 })).resolves.toEqual({ a: 2 }); });
      it('spies', () => {
        const console = { log() { throw new Error('not mocked'); } };
        const spy = vi.spyOn(console, 'log').mockImplementation(() => {});
        console.log(1);
        expect(spy).toHaveBeenCalledTimes(1);
        expect({ id: 1, log }).toEqual({ id: expect.any(Number), log: ['all', 'each', 'each', 'each', 'each'] });
      });
      test('is skipped', () => {});
    `,
    'two.mjs': `
      test('is what the file says', async () => { await expect('{"fused": true}').toMatchFileSnapshot('../x/loom.json'); });
      test('is not what the file says', async () => { await expect('{}').toMatchFileSnapshot('loom.json'); });
    `,
  });
  expect(tally).toEqual({ passed: 4, failed: 2, skipped: 1 });
  expect(printed).toHaveLength(2);
  expect(printed[0]).toContain('FAILED is not itself');
  expect(printed[1]).toMatch(/FAILED is not what the file says[\s\S]*expected what loom\.json says/);
});

test('a suite that does not load, or whose hook fails, is a failure; a timeout of a suite is its own', async () => {
  const { tally, printed } = await run({
    'hook.mjs': `
      describe('suite', () => {
        beforeAll(() => { throw new Error('no backend'); });
        test('never runs', () => {});
      });
    `,
    'load.mjs': `throw new Error('no such thing');`,
    'slow.mjs': `
      vi.setConfig({ testTimeout: 20 });
      test('is slow', () => new Promise((resolve) => setTimeout(resolve, 2000)));
    `,
    'other.mjs': `test('takes its time', () => new Promise((resolve) => setTimeout(resolve, 50)));`,
  });
  expect(printed.join('\n')).toContain('no backend');
  expect(printed.join('\n')).toContain('no such thing');
  expect(printed.join('\n')).toContain('Test timed out in 20ms');
  expect(tally).toEqual({ passed: 1, failed: 3, skipped: 1 });
});
