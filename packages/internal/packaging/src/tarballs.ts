// Builds and packs every public package the way a release does, but in a copy of the workspace: whatever `dist`
// folders lie around here, stale or missing, neither help nor hurt, and a build that runs meanwhile is not disturbed.

import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { createPackageFromTarballData, type Package } from '@arethetypeswrong/core';
import { command, pnpm } from './commands.ts';
import { listPackages, type Manifest, ROOT } from './workspace.ts';

export interface Tarball {
  readonly folder: string;
  /** Absolute path of the .tgz. */
  readonly path: string;
  readonly data: Buffer;
  /** The published package.json: workspace and catalog versions resolved, publishConfig applied. */
  readonly manifest: Manifest;
  /** Paths inside the package, sorted. */
  readonly files: readonly string[];
  readonly contents: Package;
  readText(path: string): string;
}

/** Packs all public packages from a clean build made inside `work`, an empty folder. */
export async function packAll(work: string): Promise<Tarball[]> {
  const stage = join(work, 'workspace');
  const out = join(work, 'tarballs');
  await mkdir(out);
  await copyWorkspace(stage);
  const packages = listPackages();
  const published = packages.filter((pkg) => !pkg.manifest.private);
  // All at once and in their order. Each package's own build, which packing runs, then finds nothing to do.
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  await command(process.execPath, [tsc, '-b', ...published.map(({ folder }) => `packages/${folder}`)], stage);
  // In one process of pnpm, which takes longer to start than to pack.
  const filters = published.flatMap(({ manifest }) => ['--filter', manifest.name]);
  const output = await pnpm(['--recursive', ...filters, 'pack', '--json', '--pack-destination', out], stage);
  const packed = JSON.parse(output.slice(output.search(/^\[$/m), output.search(/^\]$/m) + 1)) as {
    readonly name: string;
    readonly filename: string;
  }[];
  return Promise.all(
    published.map(({ folder, manifest }) => {
      const one = packed.find(({ name }) => name === manifest.name);
      if (one === undefined) throw new Error(`pnpm has not packed ${manifest.name}:\n${output}`);
      return readTarball(folder, join(out, basename(one.filename)));
    }),
  );
}

async function readTarball(folder: string, path: string): Promise<Tarball> {
  const data = await readFile(path);
  const contents = createPackageFromTarballData(data);
  const prefix = `/node_modules/${contents.packageName}/`;
  const readText = (file: string) => contents.readFile(prefix + file);
  const files = contents
    .listFiles()
    .map((file) => file.slice(prefix.length))
    .sort();
  const manifest = JSON.parse(readText('package.json')) as Manifest;
  return { folder, path, data, manifest, files, contents, readText };
}

/** The links inside each node_modules are relative, so copied as they are they lead to the copied packages. */
async function copyWorkspace(stage: string): Promise<void> {
  await mkdir(stage);
  for (const file of [
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'tsconfig.base.json',
    'LICENSE',
  ]) {
    await cp(join(ROOT, file), join(stage, file));
  }
  await cp(join(ROOT, 'packages'), join(stage, 'packages'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !['dist', '.turbo', '.vite'].includes(basename(source)),
  });
  await symlink(join(ROOT, 'node_modules'), join(stage, 'node_modules'), 'dir');
}
