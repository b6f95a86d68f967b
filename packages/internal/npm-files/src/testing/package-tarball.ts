// Packages made by the tests of what fetches packages.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import type { PinnedPackage } from '../package-files.ts';

/** Writes a package with these files as npm would, and says how it is pinned; `spec` is the tarball's path. */
export async function packageTarball(
  folder: string,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<PinnedPackage & { readonly tarball: Buffer }> {
  const root = await mkdtemp(join(folder, 'package-'));
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0' }), ...files };
  for (const [path, content] of Object.entries(all)) {
    await mkdir(dirname(join(root, 'package', path)), { recursive: true });
    await writeFile(join(root, 'package', path), content);
  }
  const path = join(folder, `${name}-1.0.0.tgz`);
  await create({ cwd: root, file: path, gzip: true }, ['package']);
  await rm(root, { recursive: true });
  const tarball = await readFile(path);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return { spec: `file:${path}`, integrity, bytes: tarball.length, tarball };
}
