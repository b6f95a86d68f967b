// pnpm release: packs every public package from a clean build, checks the tarballs, and publishes what is new.

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { pnpm } from './commands.ts';
import { packAll, type Tarball } from './tarballs.ts';
import { ROOT } from './workspace.ts';

/** A release that must not go out. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';
}

/** Writes the tarballs of all public packages to a folder, made if it is missing; gives their paths. */
export async function packInto(folder: string): Promise<string[]> {
  return withTarballs(async (tarballs) => {
    await mkdir(folder, { recursive: true });
    const paths = tarballs.map(({ path }) => join(resolve(folder), basename(path)));
    await Promise.all(tarballs.map(({ path }, i) => cp(path, paths[i]!)));
    return paths;
  });
}

/**
 * Does all of a release but the upload, one line a package.
 *
 * @throws {ReleaseError} naming the packages that are not fit to be published.
 */
export async function rehearse(print: (line: string) => void): Promise<void> {
  await withTarballs(async (tarballs) => {
    const faults: string[] = [];
    for (const tarball of tarballs) {
      const { name, version } = tarball.manifest;
      const found = await faultsOf(tarball);
      if (version === '0.0.0') found.push('its version is 0.0.0: run "pnpm changeset version" first');
      faults.push(...found.map((fault) => `${name}: ${fault}`));
      await pnpm(['publish', tarball.path, '--dry-run', '--no-git-checks', '--access', 'public'], ROOT);
      const size = `${(tarball.data.byteLength / 1000).toFixed(1)} kB, ${tarball.files.length} files`;
      print(`${name}@${version}: ${size}${found.length > 0 ? ', not fit' : ''}`);
    }
    if (faults.length > 0) throw new ReleaseError(faults.join('\n'));
  });
}

/** What keeps a tarball from being published, as sentences. */
export async function faultsOf({ data, files, manifest, readText }: Tarball): Promise<string[]> {
  const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
  const { messages } = await publint({ pack: { tarball }, strict: true });
  const faults = messages.map((message) => formatMessage(message, manifest as never) ?? message.code);
  for (const file of files.filter((path) => path.endsWith('.js.map'))) {
    const { sourcesContent = [] } = JSON.parse(readText(file)) as { sourcesContent?: unknown[] };
    if (sourcesContent.length === 0)
      faults.push(`${file} has no sources, though the package has none besides`);
  }
  if (!files.some((path) => path.startsWith('dist/'))) faults.push('it has no code in dist');
  return faults;
}

async function withTarballs<T>(use: (tarballs: readonly Tarball[]) => Promise<T>): Promise<T> {
  const work = await mkdtemp(join(tmpdir(), 'rebatch-release-'));
  try {
    return await use(await packAll(work));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
