// What the workspace holds: its packages, their manifests and their READMEs, read from disk and nothing else.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The fields of a package.json that these tests look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly homepage?: string;
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string };
  readonly bugs?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly files?: readonly string[];
  readonly sideEffects?: boolean | readonly string[];
  /** Commands by their names. */
  readonly bin?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly publishConfig?: { readonly access?: string; readonly exports?: Readonly<Record<string, unknown>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One package of the workspace. `folder` is its short name, such as `core`; `dir` its absolute path. */
export interface WorkspacePackage {
  readonly folder: string;
  readonly dir: string;
  readonly manifest: Manifest;
}

/** The workspace's root folder. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Where packages lie: those that are published, those that never are, and the apps. */
export type PackageGroup = 'packages' | 'packages/internal' | 'apps';

/** All packages of a group, in alphabetical order. */
export function listPackages(group: PackageGroup = 'packages'): WorkspacePackage[] {
  const entries = readdirSync(join(ROOT, group), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, group, entry.name, 'package.json')))
    .map((entry) => entry.name)
    .sort()
    .map((folder) => {
      const dir = join(ROOT, group, folder);
      return { folder, dir, manifest: readManifest(join(dir, 'package.json')) };
    });
}

/** The packages that are published. */
export function listPublicPackages(): WorkspacePackage[] {
  return listPackages().filter((pkg) => !pkg.manifest.private);
}

export function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

/** Every TypeScript file under a folder, as sorted paths relative to it. */
export function listSources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

/**
 * Whether a source file (`src/...`) only serves tests: a `.test.ts`, or one that package.json's `files` keeps out of
 * the tarball (`!dist/name.*`), such as a test suite that several packages of the workspace share.
 */
export function isTestOnly(path: string, { files = [] }: Manifest): boolean {
  const built = path.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js');
  return (
    /\.test\.ts$/.test(path) ||
    files.some((glob) => glob.startsWith('!') && globToRegExp(glob.slice(1)).test(built))
  );
}

/** Of the glob syntax, what we use: `*` within a folder and `**` across folders. */
export function globToRegExp(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
