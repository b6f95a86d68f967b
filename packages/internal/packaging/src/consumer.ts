// A user's project: a folder outside of the workspace that installs the tarballs and nothing of ours besides.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, pnpm } from './commands.ts';
import type { Tarball } from './tarballs.ts';
import { ROOT } from './workspace.ts';

/**
 * Installs `install` (a choice of tarballs) and `extras` (name -> exact version) in a new project at `dir`.
 * `all` has every tarball, so that those that depend on each other find each other instead of the registry's.
 */
export async function createProject(
  dir: string,
  install: readonly Tarball[],
  all: readonly Tarball[],
  extras: Readonly<Record<string, string>>,
): Promise<void> {
  const ours = (tarballs: readonly Tarball[]) =>
    Object.fromEntries(tarballs.map(({ manifest, path }) => [manifest.name, `file:${path}`]));
  await mkdir(dir);
  const manifest = {
    name: 'a-users-project',
    private: true,
    type: 'module',
    dependencies: { ...ours(install), ...extras },
    pnpm: { overrides: ours(all) },
  };
  await writeFile(join(dir, 'package.json'), JSON.stringify(manifest, null, 2));
  // The workspace's own store: what it has installed already needs no network.
  const store = (await pnpm(['store', 'path'], ROOT)).trim().split('\n').at(-1)!;
  const flags = ['--prefer-offline', '--ignore-scripts', '--ignore-workspace', '--no-frozen-lockfile'];
  const strict = ['--strict-peer-dependencies', '--config.auto-install-peers=false'];
  await pnpm(['install', ...flags, ...strict, '--store-dir', store.replace(/[/\\]v\d+$/, '')], dir);
}

/** The names of all packages that ended up installed in a project, direct or not. */
export async function installedPackages(dir: string): Promise<string[]> {
  const names = new Set<string>();
  const virtual = join(dir, 'node_modules/.pnpm');
  for (const entry of await readdir(virtual)) {
    if (entry === 'node_modules' || entry.endsWith('.yaml')) continue;
    const modules = join(virtual, entry, 'node_modules');
    for (const name of await readdir(modules)) {
      if (!name.startsWith('@')) names.add(name);
      else for (const scoped of await readdir(join(modules, name))) names.add(`${name}/${scoped}`);
    }
  }
  return [...names].filter((name) => name !== '.bin').sort();
}

/**
 * Checks with another version of TypeScript, installed as `compiler`, what `compile` has written, and gives the errors of
 * the same kind. Writes nothing.
 */
export async function checkTypes(dir: string, compiler: string): Promise<string[]> {
  return errorsOf(dir, compiler, ['--noEmit']);
}

/**
 * Compiles `files` (name -> TypeScript) to `out/` as a strict program for Node, and with it the declarations that they use.
 * Returns the compiler's errors in the files and in our declarations; those in other packages' are not ours to fix.
 */
export async function compile(dir: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    rootDir: '.',
    outDir: 'out',
  };
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return errorsOf(dir, 'typescript');
}

async function errorsOf(dir: string, compiler: string, flags: readonly string[] = []): Promise<string[]> {
  const tsc = join(dir, `node_modules/${compiler}/bin/tsc`);
  const { code, output } = await attempt(
    process.execPath,
    [tsc, '-p', '.', '--pretty', 'false', ...flags],
    dir,
  );
  const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
  if (code !== 0 && errors.length === 0) throw new Error(`tsc exited with ${code}:\n${output}`);
  return errors.filter(
    (line) => !/node_modules[/\\]/.test(line) || /node_modules[/\\]@rebatch[/\\]/.test(line),
  );
}
