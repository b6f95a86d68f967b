// Packed with a Dawn that finds no adapter, so that no test needs a GPU or the network.

import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '@rebatch/npm-files/testing';
import { extract } from 'tar';
import { expect, test } from 'vitest';

const pack = fileURLToPath(new URL('pack.ts', import.meta.url));

test.runIf(process.platform === 'linux')('what is packed runs by itself', async () => {
  const root = await temporaryFolder();
  const dawn = join(root, 'dawn');
  await mkdir(dawn);
  await writeFile(join(dawn, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(dawn, 'index.js'),
    'export const globals = {}; export const create = () => ({ requestAdapter: async () => null });',
  );
  const library = join(root, 'libloom.so');
  await writeFile(library, 'library');
  const file = join(root, 'gpu.tgz');
  const args = ['--import', 'tsx', pack, '--out', file, '--library', library];
  const env = { ...process.env, REBATCH_DAWN: dawn };
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd });
  expect(stdout).toMatch(/wrote .*gpu\.tgz \([\d.]+ MB\)/);
  expect((await stat(file)).size).toBeLessThan(60e6);

  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  await extract({ file, cwd: elsewhere });
  const top = join(elsewhere, 'rebatch-gpu');
  expect(await readdir(join(top, 'suites'))).toEqual(['1-dispatches.mjs', '2-conformance.mjs']);
  expect(existsSync(join(top, 'features', 'webgpu-with-kernels.json'))).toBe(true);
  expect(await readFile(join(top, 'lib', 'libloom.so'), 'utf8')).toBe('library');
  // Each suite loads without anything around it; it needs no GPU before its first test.
  for (const suite of await readdir(join(top, 'suites'))) {
    expect(await readFile(join(top, 'suites', suite), 'utf8')).not.toMatch(/from ["'](?!node:|\.\.?\/)/);
  }
  const out = join(root, 'out');
  const run = spawnSync('sh', [join(top, 'run.sh'), out], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  expect(run.stdout).toContain('FAILED: there is no GPU that WebGPU could use: no adapter was found');
  expect(run.stderr).toBe('not measured: there is no GPU that WebGPU could use: no adapter was found\n');
  expect(run.status).toBe(1);
  expect(await readdir(out)).toEqual(['conformance.log', 'lines.jsonl']);
  expect(await readFile(join(out, 'lines.jsonl'), 'utf8')).toBe('');
});
