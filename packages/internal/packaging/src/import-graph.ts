// Which source file imports which, over all packages and apps, and the circles in that graph.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { globsOf, importsOf } from './imports.ts';
import { globToRegExp, listPackages, ROOT, type WorkspacePackage } from './workspace.ts';

/** Each source file, and the source files that it imports; paths are relative to the workspace's root. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** What the graph is made of: the packages by name, with the entries that they export, and the files' texts by path. */
export interface Sources {
  /** Package name -> its folder, such as `packages/core`, and its entries, such as `.` -> `./src/index.ts`. */
  readonly packages: ReadonlyMap<string, { readonly folder: string; readonly exports: Entries }>;
  readonly texts: ReadonlyMap<string, string>;
}

type Entries = Readonly<Record<string, unknown>>;

/** Folders that hold what is installed or built, not what is written. */
const NOT_WRITTEN = new Set(['node_modules', 'dist', '.cache', '.turbo', '.vite']);
const CODE = /\.([cm]?[jt]s|tsx)$/;

/** Every source file of the workspace: sources, tests, build scripts and AssemblyScript, of packages and apps. */
export function readWorkspace(): Sources {
  const all = (['packages', 'packages/internal', 'apps'] as const).flatMap(listPackages);
  const packages = new Map(
    all.map(({ dir, manifest }) => [
      manifest.name,
      { folder: posixPath(dir), exports: manifest.exports ?? {} },
    ]),
  );
  const texts = new Map(
    all.flatMap(filesOf).map((path) => [posixPath(path), readFileSync(path, 'utf8')] as const),
  );
  return { packages, texts };
}

function filesOf({ dir }: WorkspacePackage): string[] {
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return NOT_WRITTEN.has(entry.name) ? [] : walk(path);
      return entry.isFile() && CODE.test(entry.name) ? [path] : [];
    });
  return walk(dir);
}

function posixPath(path: string): string {
  return relative(ROOT, path).replaceAll('\\', '/');
}

/**
 * The graph of all imports, whatever their syntax: type-only ones, re-exports, `import()` and Vite's `import.meta.glob`
 * count like any other, and so do imports through a package's name, be it another one's or the file's own. A worker that
 * is started by its URL is no import, nor is a file that a program is told of when it runs.
 *
 * @throws Error where an import of ours leads nowhere: it would be missing in the graph.
 */
export function graphOf(sources: Sources): ImportGraph {
  return new Map(
    [...sources.texts].map(([path, text]) => {
      const code = isAssembly(path) ? withoutDecorators(text) : text;
      const direct = importsOf(path, code, true).flatMap((specifier) => resolve(path, specifier, sources));
      const matched = globsOf(path, code).flatMap((glob) => {
        const pattern = globToRegExp(posix.join(posix.dirname(path), glob));
        return [...sources.texts.keys()].filter((other) => other !== path && pattern.test(other));
      });
      return [path, [...new Set([...direct, ...matched])]] as const;
    }),
  );
}

const isAssembly = (path: string) => path.includes('/assembly/');

/** AssemblyScript is parsed as TypeScript, which has no decorators on functions. */
const withoutDecorators = (text: string) => text.replaceAll(/^@\w+$/gm, '');

/** The source file that is meant; none for what is installed or built in, and for files that are not code. */
function resolve(from: string, specifier: string, { packages, texts }: Sources): string[] {
  const [name] = specifier.split('?') as [string];
  const target = name.startsWith('.') ? relativeTarget(from, name) : packageTarget(name, packages);
  if (target === undefined) return [];
  if (!CODE.test(target) && /\.\w+$/.test(posix.basename(target))) return [];
  if (!texts.has(target)) throw new Error(`${from} imports '${specifier}', but there is no ${target}`);
  return [target];
}

function relativeTarget(from: string, name: string): string {
  const target = posix.join(posix.dirname(from), name);
  // AssemblyScript leaves the ending out.
  return isAssembly(from) ? `${target}.ts` : target;
}

function packageTarget(name: string, packages: Sources['packages']): string | undefined {
  const own = name.split('/', 2).join('/');
  const found = packages.get(own);
  if (found === undefined) return undefined;
  const entry = found.exports[`.${name.slice(own.length)}`];
  return posix.join(found.folder, typeof entry === 'string' ? entry : `(entry of ${name})`);
}

/**
 * The circles of a graph: for each file that can reach itself, a shortest way to do so, each circle once. They begin at
 * their first file in alphabetical order, and are sorted.
 */
export function circlesIn(graph: ImportGraph): string[][] {
  const circles = new Map<string, string[]>();
  for (const file of graph.keys()) {
    const circle = shortestCircle(graph, file);
    if (circle === undefined) continue;
    const first = circle.indexOf([...circle].sort()[0] as string);
    const rotated = [...circle.slice(first), ...circle.slice(0, first)];
    circles.set(rotated.join('\n'), rotated);
  }
  return [...circles.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, circle]) => circle);
}

/** Breadth first from a file until it is met again. */
function shortestCircle(graph: ImportGraph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return pathTo(file, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return undefined;
}

function pathTo(file: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const before = cameFrom.get(file);
  return before === undefined ? [file] : [...pathTo(before, cameFrom), file];
}
