import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { experiments } from '../experiments/index.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PAPER = 'apps/paper/src/';
/** What decides the numbers beside the app, and the versions of everything that is installed. */
const OTHERS = [
  ...[
    'stats',
    'core',
    'kernels-wasm',
    'estimators',
    'layers',
    'recalibrate',
    'domains',
    'leakage',
    'digits',
  ].map((p) => `packages/${p}/src/`),
  'pnpm-lock.yaml',
];
/** Parts of the app that only show or schedule results. */
const BESIDE = ['figures/', 'render/', 'pool/', 'testing/', 'main.ts', 'results.ts', 'run-all.ts'];

/** A hash of the sources that an experiment's numbers can depend on. Other experiments' files are left out. */
export async function codeHash(experiment: string): Promise<string> {
  const others = new Set(
    experiments.filter((e) => e.name !== experiment).map((e) => `experiments/${e.name}.ts`),
  );
  const own = (await sources(PAPER)).filter((path) => {
    const name = path.slice(PAPER.length);
    if (others.has(name)) return false;
    return !BESIDE.some((prefix) => name.startsWith(prefix));
  });
  const beside = (await Promise.all(OTHERS.map(sources))).flat();
  const hash = createHash('sha256');
  for (const path of [...own, ...beside].sort()) {
    hash.update(`${path}\0`).update(await readFile(join(ROOT, path)));
  }
  return hash.digest('hex');
}

/** Source files below a folder, tests left out, relative to the repository; a file is itself. */
async function sources(path: string): Promise<string[]> {
  if (!path.endsWith('/')) return [path];
  const entries = await readdir(join(ROOT, path), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.test\.|\.support\.|\.helpers\./.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}
